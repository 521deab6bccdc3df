"""The mark of runs whose pictures were resized once, and what stands in its place. It follows from the task and the
image size, so of one task at one size all runs have it, or none: where some have it, versions are mixed.
"""

from __future__ import annotations

from typing import Literal

Resizes = Literal["once"]
"""How often the pictures that judged were resized, from their files to the student's size."""
STORED = "stored"
"""In the place of it where nothing is said: they were made of the frames that training stores."""
