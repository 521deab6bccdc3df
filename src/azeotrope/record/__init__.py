"""Runs on disk: the record's shape, the store, the environment. Both halves import it; it imports neither."""
