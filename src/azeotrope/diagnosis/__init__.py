"""What a trained model gets right and wrong, class by class, from stored answers: without images and without torch."""
