"""Manifests without images, for the tests of splits and subsets."""

import hashlib

import numpy as np

from azeotrope.data.listing.manifest import Manifest


def checksum(content):
    return hashlib.sha256(str(content).encode()).hexdigest()


def manifest(rows, classes=("a", "b"), unreadable=()):
    """`rows`: (content, label, split) each."""
    count = len(rows)
    readable = np.array([row not in unreadable for row in range(count)], dtype=bool)
    ones = readable.astype(np.int64)
    return Manifest(
        name="made",
        classes=tuple(classes),
        keys=tuple(f"{row}.png" for row in range(count)),
        labels=np.array([label for _, label, _ in rows], dtype=np.int64),
        splits=tuple(split for _, _, split in rows),
        checksums=tuple(checksum(content) for content, _, _ in rows),
        heights=ones,
        widths=ones,
        channels=ones,
        readable=readable,
        reasons=dict.fromkeys(unreadable, "damaged"),
        notes={},
        thumbnails=np.zeros((count, 16, 16), np.uint8),
    )
