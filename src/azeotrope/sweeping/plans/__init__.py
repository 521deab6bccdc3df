"""From what a person asked for to a plan with every default written out, and to its runs."""
