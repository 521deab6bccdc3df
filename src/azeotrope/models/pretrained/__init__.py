"""Pretrained weights: where they may be had, read without running code, under which licence."""
