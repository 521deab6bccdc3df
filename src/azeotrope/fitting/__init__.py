"""The answer of `azeotrope fit`: the laws of one group of runs, what they predict and what to doubt about them."""
