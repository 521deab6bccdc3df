"""What a source holds: every image read once, measured, identified by its content, near copies found."""
