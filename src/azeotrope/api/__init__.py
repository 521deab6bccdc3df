"""The public functions, one file each; `azeotrope.compare` is `api/compare.py`. The command line calls these.

What they share is in `session` (they make runs) and `analysis` (they read runs).
"""
