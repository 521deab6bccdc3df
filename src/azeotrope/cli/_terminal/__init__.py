"""How commands read on a terminal: help, tables, progress, letters."""
