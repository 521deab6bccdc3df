"""Contracts of the families, as checks that members which live elsewhere can be put through too. None needs pytest."""
