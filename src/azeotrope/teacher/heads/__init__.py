"""What turns embeddings into targets: heads fitted on the run's labels, held against a yardstick."""
