"""Where arms swap places along an axis, who stands where at a size, and how many images a target needs."""
