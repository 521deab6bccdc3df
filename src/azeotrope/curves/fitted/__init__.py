"""Laws fitted to one curve, weighed by what they foresaw, averaged and drawn."""
