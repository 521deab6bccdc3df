"""False calls and power of the verdicts at 5 %: each pair alone (plain t) and moderated over its page, and page-wise.

Run: `python benchmarks/verdict_power.py [PAGES [FIRST LAST]]`, the numbers of worlds. Worlds: `arms` at `sizes`, paired
seeds, the sd of an arm over seeds 0.5 points times exp(spread x normal), so that a difference has sd 0.7; a test set of
bits (each image has a difficulty of its own and one for each arm), or none. All arms are equal, or the first is better
by `GAIN`. Seeds from 90,000 on: the factor `WIDER` was chosen on others.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from azeotrope.verdicts.differences import Differences
from azeotrope.verdicts.page import common_of, judged
from azeotrope.verdicts.sampling import image_variance
from azeotrope.verdicts.verdict import judge

GAIN = 0.015
ARM_SD = 0.005
ERROR = 0.15
FIRST_SEED = 90_000


@dataclass(frozen=True)
class World:
    """One design; `images` None: a test set without end."""

    arms: int
    sizes: int
    seeds: int
    spread: float = 0.0
    images: int | None = None

    @property
    def comparisons(self) -> int:
        """Every arm against the first, at every size."""
        return (self.arms - 1) * self.sizes


@dataclass
class Count:
    """Calls among pairs (or pages) that were judged."""

    plain: int = 0
    moderated: int = 0
    of: int = 0
    pages_plain: int = 0
    pages_moderated: int = 0
    pages_holm: int = 0
    pages: int = 0


WORLDS = [
    World(arms, sizes, seeds, spread)
    for arms, sizes in ((2, 1), (3, 1), (3, 3), (5, 3), (5, 1))
    for seeds in (3, 5)
    for spread in (0.0, 0.3, 0.6)
]
SMALL_SETS = [World(3, 1, seeds, 0.3, images) for seeds in (3, 5) for images in (100, 300, 1000, 3000)]


def pairs_at_a_size(world: World, gain: float, rng: np.random.Generator) -> list[Differences]:
    """All pairs of arms at one size; the first arm is better by `gain`."""
    sd = ARM_SD * np.exp(world.spread * rng.standard_normal(world.arms))
    offset = sd[:, None] * rng.standard_normal((world.arms, world.seeds)) + 0.01 * rng.standard_normal(world.seeds)
    offset[0] -= gain
    if world.images is None:
        return [_known(a, b, offset, None) for a, b in combinations(range(world.arms), 2)]
    wrong = _wrong(ERROR + offset, world.images, rng)
    errors = wrong.mean(axis=2)
    return [_known(a, b, errors, wrong) for a, b in combinations(range(world.arms), 2)]


def _wrong(error: NDArray[np.float64], images: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Bits [arms, seeds, images]: half of an image's difficulty is its own, a quarter the arm's, one the run's."""
    arms, seeds = error.shape
    shared, of_arm = rng.standard_normal((1, 1, images)), rng.standard_normal((arms, 1, images))
    hard = np.sqrt(0.5) * shared + 0.5 * of_arm + 0.5 * rng.standard_normal((arms, seeds, images))
    return (hard > special.ndtri(1 - error)[..., None]).astype(float)


def _known(a: int, b: int, errors: NDArray[np.float64], wrong: NDArray[np.float64] | None) -> Differences:
    values = tuple(map(float, errors[a] - errors[b]))
    sampled = None if wrong is None else image_variance(wrong[a] - wrong[b])
    return Differences(str(a), str(b), tuple(range(len(values))), values, ERROR, sampled)


def count(world: World, gain: float, pages: int) -> Count:
    """Judge the first arm against every other, at every size of many pages."""
    found = Count()
    for page in range(pages):
        rng = np.random.default_rng([FIRST_SEED + page, world.arms, world.sizes, world.seeds, world.images or 0])
        sizes = [pairs_at_a_size(world, gain, rng) for _ in range(world.sizes)]
        shared = common_of(sizes)
        for pairs in sizes:
            asked = [pair for pair in pairs if pair.a == "0"]
            plain = [judge(pair).verdict != "INCONCLUSIVE" for pair in asked]
            together = judged(asked, shared)
            moderated = [one.alone.verdict != "INCONCLUSIVE" for one in together]
            found.plain += sum(plain)
            found.moderated += sum(moderated)
            found.of += len(asked)
            found.pages_plain += any(plain)
            found.pages_moderated += any(moderated)
            found.pages_holm += any(one.page_call != "INCONCLUSIVE" for one in together)
            found.pages += 1
    return found


def main(pages: int, first: int, last: int) -> None:
    """Print one line a world."""
    print("arms sizes seeds spread images | comparisons | false calls %: plain, moderated | power %: plain, moderated |"
          " pages with any false call %: plain, moderated, Holm")  # fmt: skip
    for world in [*WORLDS, *SMALL_SETS][first:last]:
        null, better = count(world, 0.0, pages), count(world, GAIN, pages // 2)
        print(
            f"{world.arms} {world.sizes} {world.seeds} {world.spread} {world.images or 'no end'} | "
            f"{world.comparisons} | "
            f"{100 * null.plain / null.of:.1f} {100 * null.moderated / null.of:.1f} | "
            f"{100 * better.plain / better.of:.0f} {100 * better.moderated / better.of:.0f} | "
            f"{100 * null.pages_plain / null.pages:.1f} {100 * null.pages_moderated / null.pages:.1f} "
            f"{100 * null.pages_holm / null.pages:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [2000, 0, 99][len(given) :]))
