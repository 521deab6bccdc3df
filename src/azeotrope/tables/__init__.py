"""Records or a person's own table as one checked table of runs: columns, units, sizes, which runs make one curve."""
