"""Losses, one file each; the file name is the key. A file exposes one class named `Loss` (see `_contract`)."""
