"""The public functions, one file each; `azeotrope.compare` is `api/compare.py`. The command line calls these and
nothing else.
"""
