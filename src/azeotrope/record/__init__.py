"""Runs on disk: the record's shape, the store, the claims on it. Both halves import it; it imports neither."""
