"""How often `--seeds auto` calls equal arms different, and how soon it finds a true gain, looking four times.

Run: `python benchmarks/verdict_stopping.py [PAGES]`. Pairs of arms as in `verdict_power.py` (a difference has an sd of
0.7 points over seeds, a test set without end), one pair a page; each look at the level of `stopping.py`, and at
the 95 % of a look that was planned.
"""

from __future__ import annotations

import sys

import numpy as np

from azeotrope.verdicts.differences import Differences
from azeotrope.verdicts.stopping import LEVEL_OF_A_LOOK, LOOKS
from azeotrope.verdicts.verdict import LEVEL, judge
from verdict_power import ARM_SD, ERROR, FIRST_SEED, GAIN


def looked(gain: float, level: float, pages: int) -> tuple[float, float]:
    """Share of pages with a call at any look, and the mean number of seeds made until then or the last look."""
    calls, seeds = 0, []
    for page in range(pages):
        values = gain + np.sqrt(2) * ARM_SD * np.random.default_rng(FIRST_SEED + page).standard_normal(LOOKS[-1])
        for look in LOOKS:
            pair = Differences("a", "b", tuple(range(look)), tuple(map(float, values[:look])), ERROR, None)
            if judge(pair, level=level).verdict != "INCONCLUSIVE":
                calls += 1
                break
        seeds.append(look)
    return calls / pages, float(np.mean(seeds))


def main(pages: int) -> None:
    """Print one line a level."""
    print(f"{pages} pages, looks at {', '.join(map(str, LOOKS))} paired seeds")
    print("| level of a look | equal arms called different | gain of 1.5 points found | mean seeds then |")
    print("|---|---|---|---|")
    for level in (LEVEL, LEVEL_OF_A_LOOK):
        wrong, (found, seeds) = looked(0.0, level, pages)[0], looked(-GAIN, level, pages)
        print(f"| {100 * level:.1f} % | {100 * wrong:.1f} % | {100 * found:.0f} % | {seeds:.1f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
