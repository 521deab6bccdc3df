"""Where labelled images come from: one file a kind, whose name is the scheme (`fashion_mnist.py` is `fashion-mnist`).

Each file exposes `open_source(name) -> Source`. A new kind is one new file.
"""
