"""The frozen teacher: its embeddings, its head on the task, the gate it must pass, and the cache of what it saw."""
