"""Where computation runs: the device and its precision, how a batch gets there, memory, and results that repeat."""
