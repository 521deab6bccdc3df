"""What a person should be told of their images before training on them. It changes nothing."""
