"""One training loop for every strategy, what it needs (optimiser, device, checkpoints) and how a student is judged."""
