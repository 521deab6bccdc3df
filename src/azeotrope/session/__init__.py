"""What the functions that make runs share: open images, a plan, progress, cautions, the saved model. It needs torch."""
