"""The runs of `compare` and `distill`: from the plan to records, report and the winner's model."""
