"""Charts of numbers, all in one look, as SVG and PNG."""
