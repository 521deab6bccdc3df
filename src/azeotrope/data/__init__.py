"""Labelled images in, a task out: sources, a manifest with a fingerprint, an audit, splits and subsets.

It does not train, and nothing here knows of networks.
"""
