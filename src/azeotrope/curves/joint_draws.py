"""Joint draws of the arms' error curves: seeds, test images, lack of fit and the choice of law in one set.

The one engine behind `fit`, `boundary`, `advise`, the planner and the report. Every draw moves the cell means by noise
that is correlated between arms and sizes, and refits all arms with the same law. Within the sizes seen a draw follows
one law, weighed by sizes left out; beyond them all go on by the mean of what the laws say, weighed by the largest sizes
held out, and drift as `beyond.py` says. It reads nothing off the curves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from azeotrope.curves.beyond import ONE_LAW, AtTheEnd, Onward, Rates, onward
from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.fitted.applicable_laws import default_forms
from azeotrope.curves.fitted.law_fit import FormFit, Options, fit_form
from azeotrope.curves.fitted.weighing import between, beyond, judgeable
from azeotrope.curves.kept import Kept
from azeotrope.curves.level import LevelLine
from azeotrope.curves.moved_cells import Moved
from azeotrope.errors import NotIdentifiable
from azeotrope.laws._law import Law, law
from azeotrope.record.interval import Interval, quantile_interval
from azeotrope.solver.many import Fits

DRAWS = 1000
"""Everywhere the same number, so that every command prints the same interval of the same runs."""
KEPT = 8
"""Results kept in memory: a report asks for the same curves half a dozen times."""
_kept: dict[tuple[object, ...], Draws] = {}


@dataclass(frozen=True)
class LawDraws:
    """One law: `fits` to the draws `rows` [r], and `middle` to the runs themselves, each an entry an arm; and what the
    cells of the last doubling are above these in log error, a mean, `missed` [K, r] and `middle_missed` [K].
    """

    rows: NDArray[np.int64]
    fits: tuple[Fits | LevelLine, ...]
    middle: tuple[Fits | LevelLine, ...]
    missed: Floats
    middle_missed: Floats


@dataclass(frozen=True)
class Draws:
    """R draws of K error curves, and their middle. `forms` and `beyond` are the weights of the laws between the sizes
    seen and beyond them; `inside` and `outside` [R] say which law each draw took. `before` [K]: where each arm's last
    doubling begins (1 for a level arm). What a law misses there is put back in arms that are `anchored` [K], for what
    lies beyond starts from the runs; not in those without repeats, which nothing says how far to trust. `most`: what an
    error can be, 1 for a share of images. `arms`: those of the K that are asked about.
    """

    laws: tuple[LawDraws, ...]
    forms: dict[str, float]
    beyond: dict[str, float]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    before: Floats
    onward: Onward
    anchored: NDArray[np.bool_]
    most: float
    arms: tuple[int, ...]
    _errors: Kept = field(default_factory=Kept, repr=False, compare=False)
    _middles: Kept = field(default_factory=Kept, repr=False, compare=False)

    def errors(self, sizes: Floats) -> Floats:
        """Error of every arm and draw at `sizes` [g]: [arms, R, g]."""
        return self._errors.at(sizes, self._drawn)[list(self.arms)]

    def middle(self, sizes: Floats) -> Floats:
        """The error of every arm at `sizes` [g] that the runs themselves give, laws averaged in log error: [arms, g].

        It depends on no random number; intervals around it are those of `errors`.
        """
        return self._middles.at(sizes, self._middle)[list(self.arms)]

    def intervals(self, arm: int, sizes: Floats, level: float) -> list[Interval]:
        """The error of one arm at `sizes` [g] as `middle` has it, with the interval that `errors` give; none above
        `most`, which a draw alone may pass.
        """
        middle, drawn = (np.minimum(found[arm], self.most) for found in (self.middle(sizes), self.errors(sizes)))
        return [quantile_interval(float(value), column, level) for value, column in zip(middle, drawn.T, strict=True)]

    def only(self, arms: Sequence[int]) -> Draws:
        """The same draws of some arms."""
        return replace(self, arms=tuple(self.arms[arm] for arm in arms))

    def with_rates(self, rates: Rates) -> Draws:
        """The same draws, going on beyond the data at other rates."""
        return replace(self, onward=replace(self.onward, rates=rates), _errors=Kept(), _middles=Kept())

    def own_way(self, sizes: Floats) -> Floats:
        """Log error [K, R, g + K] at `sizes` [g] and where each arm's sizes end, if every arm followed its own laws."""
        near, far, end = self._places(np.append(sizes, self.onward.ends))
        path = self._gather(self.inside, near) + self._anchor(near)[:, None, :] * self.missed()[:, :, None]
        out = (far > end).any(axis=0)
        if out.any():
            gone = self._gather(self.outside, far[:, out]) - self._gather(self.outside, end[:, out][:, :1])
            path[:, :, out] += gone
        return path

    def _drawn(self, sizes: Floats) -> Floats:
        return np.asarray(np.exp(self.onward.of(self.own_way(sizes), self.missed(), sizes)))

    def _middle(self, sizes: Floats) -> Floats:
        near, far, end = self._places(np.append(sizes, self.onward.ends))
        share = np.array(list(self.forms.values()))
        missed = share @ np.array([one.middle_missed for one in self.laws]) * self.anchored
        path = self._averaged(self.forms, near) + self._anchor(near) * missed[:, None]
        path = path + self._averaged(self.beyond, far) - self._averaged(self.beyond, end)
        return np.asarray(np.exp(self.onward.of(path[:, None], missed[:, None], sizes, drifting=False)[:, 0]))

    def _places(self, sizes: Floats) -> tuple[Floats, Floats, Floats]:
        """Sizes within each arm's data, beyond it, and where it ends: [K, g] each."""
        largest = self.onward.largest[:, None]
        end = np.where(np.isinf(largest), sizes, largest)
        return np.minimum(sizes, end), np.maximum(sizes, end), end

    def _anchor(self, near: Floats) -> Floats:
        """Share [K, g] of what the law missed over the last doubling that is put back at sizes `near` [K, g]."""
        curved = self.onward.curved[:, None]
        span = np.where(curved, np.log(self.onward.ends / self.before)[:, None], 1.0)
        way = np.clip(np.log(near / self.before[:, None]) / span, 0.0, 1.0)
        return np.where(curved, way, 0.0)

    def missed(self) -> Floats:
        """What each draw's law missed over the last doubling, [K, R]; 0 for arms that are not anchored."""
        found = np.zeros((len(self.before), len(self.inside)))
        for place, one in enumerate(self.laws):
            mine = self.inside[one.rows] == place
            found[:, one.rows[mine]] = one.missed[:, mine]
        return found * self.anchored[:, None]

    def _gather(self, taken: NDArray[np.int64], sizes: Floats) -> Floats:
        """Log error [K, R, g] at sizes [K, g], each draw by the law that it took."""
        found = np.empty((len(sizes), len(taken), sizes.shape[1]))
        for place, one in enumerate(self.laws):
            mine = taken[one.rows] == place
            if mine.any():
                for arm, fits in enumerate(one.fits):
                    found[arm, one.rows[mine]] = np.log(_rows_of(fits, mine).predict(sizes[arm]))
        return found

    def _averaged(self, share: dict[str, float], sizes: Floats) -> Floats:
        """Weighted mean of the laws' log error [K, g] at sizes [K, g]."""
        by_law = [
            [np.log(fits.predict(size)[0]) for fits, size in zip(one.middle, sizes, strict=True)] for one in self.laws
        ]
        return np.asarray(np.einsum("l,lkg->kg", np.array(list(share.values())), np.array(by_law)))


def _rows_of(fits: Fits | LevelLine, rows: NDArray[np.bool_]) -> Fits | LevelLine:
    """Some of the draws of one arm, so that no curve is computed that no draw takes."""
    return LevelLine(fits.error[rows]) if isinstance(fits, LevelLine) else replace(fits, params=fits.params[rows])


def draw_curves(
    cells: JointCells, *, draws: int = DRAWS, seed: int = 0, options: Options | None = None, form: str | None = None
) -> Draws:
    """Draw the curves of all arms together; `form` names one law, then taken at its word beyond the data too, instead
    of the weighted average of all that fit.

    Equal cells give equal draws, whatever the arms are called and in whatever order they come. Raises NotIdentifiable
    when no form has few enough parameters for these sizes.
    """
    options = options or Options()
    order = sorted(range(len(cells.arms)), key=lambda arm: cells.log_error[arm].tobytes())
    ordered = cells.only(order)
    key = (
        *(part.tobytes() for part in (ordered.log_error, ordered.sizes, ordered.tested.covariance)),
        None if ordered.noise is None else ordered.noise.tobytes(), ordered.neighbours,
        ordered.chance, ordered.level, draws, seed, options.huber, options.priors, options.space, form,
    )  # fmt: skip
    if key not in _kept:
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = _draw(ordered, draws, seed, options, form)
    return replace(_kept[key], arms=tuple(int(place) for place in np.argsort(order)))


def _draw(cells: JointCells, draws: int, seed: int, options: Options, form: str | None) -> Draws:
    curves = {arm: cells.curve(arm) for arm, flat in enumerate(cells.level) if not flat}
    laws = _laws(cells, min(len(curve.sizes) for curve in curves.values()), options, form)
    fitted = [{arm: fit_form(one, curve, options) for arm, curve in curves.items()} for one in laws]
    curved = cells.only(list(curves))
    near, (far, missed) = between(laws, curved, options), beyond(laws, curved, options)
    generator = np.random.default_rng(seed)
    inside, outside = (_taken(share, draws, generator) for share in (near, far))
    moved = Moved(cells, draws, generator)
    by_law = []
    for place, forms in enumerate(fitted):
        rows = np.flatnonzero((inside == place) | (outside == place))
        lines = {arm: LevelLine(np.exp(cells.mean[arm, :1])) for arm in range(len(cells.arms)) if arm not in forms}
        middle = tuple(forms[arm].fits if arm in forms else lines[arm] for arm in range(len(cells.arms)))
        fits = _refit(forms, cells, moved.of(forms, rows))
        by_law.append(LawDraws(rows, fits, middle, *_missed(cells, fits, middle, moved.noise[:, rows])))
    keys, rates = [one.key for one in laws], ONE_LAW if form else Rates()
    before, largest = np.array(
        [[1.0, np.inf] if flat else _last_doubling(curves[arm].sizes) for arm, flat in enumerate(cells.level)]
    ).T
    return Draws(
        laws=tuple(by_law),
        forms=dict(zip(keys, map(float, near), strict=True)),
        beyond=dict(zip(keys, map(float, far), strict=True)),
        inside=inside,
        outside=outside,
        before=before,
        onward=onward(largest, _at_the_end(cells, dict(zip(curves, missed, strict=True))), draws, generator, rates),
        anchored=np.asarray((cells.runs > 1).any(axis=1) & (form is None)),
        most=np.inf if cells.chance is None else 1.0,
        arms=tuple(range(len(cells.arms))),
    )


def _at_the_end(cells: JointCells, hidden: Mapping[int, float]) -> AtTheEnd:
    """What each arm does at its largest size; `hidden` by arm that has a curve, NaN where nothing could be hidden."""
    sd = np.sqrt(np.einsum("knkn->kn", cells.covariance()))
    noise, moved, missed = np.zeros((3, len(sd)))
    for arm, foreseen in hidden.items():
        there = np.flatnonzero(cells.runs[arm] > 0)
        size, seen = np.log(cells.sizes[there]), cells.mean[arm, there]
        noise[arm] = sd[arm, there[-1]]
        moved[arm] = abs(seen[-1] - np.interp(size[-1] - np.log(2), size, seen))
        missed[arm] = moved[arm] if np.isnan(foreseen) else foreseen
    return AtTheEnd(noise, moved, missed)


def _missed(
    cells: JointCells, fits: tuple[Fits | LevelLine, ...], middle: tuple[Fits | LevelLine, ...], noise: Floats
) -> tuple[Floats, Floats]:
    """Log of the cells over their law, a mean over the last doubling: for draws [K, r] whose cells are moved by `noise`
    [K, r, n], and for the runs themselves [K].
    """
    missed, of_middle = np.zeros(noise.shape[:2]), np.zeros(len(noise))
    for arm, flat in enumerate(cells.level):
        if flat:
            continue
        there = np.flatnonzero(cells.runs[arm] > 0)
        last = there[cells.sizes[there] > _last_doubling(cells.sizes[there])[0]]
        end, seen = cells.sizes[last], cells.mean[arm, last]
        of_middle[arm] = float(np.mean(seen - np.log(middle[arm].predict(end)[0])))
        if fits:
            missed[arm] = np.mean(seen + noise[arm][:, last] - np.log(fits[arm].predict(end)), axis=1)
    return missed, of_middle


def _last_doubling(sizes: Floats) -> tuple[float, float]:
    """The largest size at most half as large as the largest of `sizes` (two or more), else the smallest; and that."""
    half = sizes[sizes <= sizes[-1] / 2 * (1 + 1e-9)]
    return float(half[-1] if len(half) else sizes[0]), float(sizes[-1])


def _laws(cells: JointCells, sizes: int, options: Options, form: str | None) -> list[Law]:
    known = default_forms(("train_images",), sizes, cells.chance, priors=options.priors)
    laws = [law(form)] if form else judgeable(known, sizes)
    if not laws or sizes < 2:  # with one size no law says how errors fall
        raise NotIdentifiable(
            "No law has few enough parameters for these sizes",
            found=f"{sizes} sizes",
            allowed="3 or more",
            next_step="add runs at other sizes",
        )
    return laws


def _taken(share: Floats, draws: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Which law each draw takes, in proportion to `share`, without the luck of drawing lots."""
    ends = np.round(np.cumsum(share) * draws)
    return generator.permutation(np.searchsorted(ends, np.arange(draws), side="right"))


def _refit(forms: dict[int, FormFit], cells: JointCells, moved: Floats) -> tuple[Fits | LevelLine, ...]:
    """Joint refits of one form to cells moved by `moved` [K, r, n]; `forms` are those of arms with a curve."""
    there = cells.runs > 0
    if not moved.shape[1]:
        return ()
    return tuple(
        forms[i].again(np.exp(cells.mean[i, there[i]] + moved[i][:, there[i]]))
        if i in forms
        else LevelLine(np.exp(cells.mean[i, 0] + moved[i][:, 0]))
        for i in range(len(cells.arms))
    )
