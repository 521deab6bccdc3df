"""From runs to laws with honest intervals. NumPy and SciPy only; it reads tables, never images or models."""
