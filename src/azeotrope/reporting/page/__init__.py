"""The report: one HTML file that opens anywhere, and its parts."""
