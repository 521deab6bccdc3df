"""Least squares for thousands of small problems at once: start values, bounded steps, the best of several starts."""
