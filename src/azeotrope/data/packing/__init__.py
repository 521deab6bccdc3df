"""Images decoded once and kept on disk as equal rows, filled by whoever needs a row first."""
