"""Strategies, one file each; the file name is the key. Each exposes `stages(arm, recipe, upstream)`: data, not
behaviour.
"""
