"""Which runs a sweep should make next, or why it should stop."""
