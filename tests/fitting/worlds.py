"""Made-up runs whose law is known."""

from __future__ import annotations

import numpy as np
import polars as pl

SIZES = (250, 500, 1000, 2000, 4000, 8000, 16000)


def runs(
    floor: float = 0.06,
    amplitude: float = 0.4,
    exponent: float = 0.4,
    *,
    sizes: tuple[int, ...] = SIZES,
    seeds: int = 3,
    noise: float = 0.02,
    group: str = "scratch",
    draw: int = 0,
    classes: int | None = 10,
) -> pl.DataFrame:
    """Runs of error floor + amplitude (D / 1000)^−exponent with log-normal noise."""
    rng = np.random.default_rng(draw)
    rows = [
        {
            "arm": group,
            "train_images": size,
            "seed": seed,
            "classes": classes,
            "test_error": (floor + amplitude * (size / 1000) ** -exponent) * np.exp(noise * rng.standard_normal()),
        }
        for size in sizes
        for seed in range(seeds)
    ]
    return pl.DataFrame(rows)
