"""Formulas for test error in terms of data, model size and pretraining data: one file a law, its name is the key."""
