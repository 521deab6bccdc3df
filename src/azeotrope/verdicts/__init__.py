"""Is one arm better than another at one size? Verdicts from paired seeds, without a law."""
