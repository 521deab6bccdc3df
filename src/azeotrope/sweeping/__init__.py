"""From a plan to records: which runs, what each needs, and making them, each at most once."""
