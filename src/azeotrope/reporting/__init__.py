"""Numbers first, then tables, figures and one HTML file: what a person sees of runs, without torch."""
