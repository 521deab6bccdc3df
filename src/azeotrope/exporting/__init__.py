"""From a saved model to files for a device, each verified on real images. It reads a saved model, never a training."""
