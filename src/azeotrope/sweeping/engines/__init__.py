"""Where the runs of a sweep are made, one file an engine; the file name is the key.

Each exposes `open_engine(bench, spec, advance) -> Engine` (see `_engine`). An engine makes the runs that it is given;
which runs, in which order and whether they are recorded already is the conductor's part (`sweeping.conductor`).
"""
