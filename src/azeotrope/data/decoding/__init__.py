"""Bytes of an image file in, upright pixels out, with all their bits and the reason where it cannot be."""
