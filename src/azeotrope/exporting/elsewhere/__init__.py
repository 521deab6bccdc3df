"""Programs that run in a target's own environment, where azeotrope is not installed. They import nothing of it."""
