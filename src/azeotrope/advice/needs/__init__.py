"""What the user has, needs and may spend: images, limits, prices."""
