"""Contenders with enough runs for a law, drawn together once; every question of `recommend` reads these draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from azeotrope.advice.evidence import Contender
from azeotrope.boundaries.confidence_set import LEVEL
from azeotrope.boundaries.standing import AXIS
from azeotrope.curves.cells import Floats, JointCells, joint_cells
from azeotrope.curves.joint_draws import DRAWS, Draws, draw_curves
from azeotrope.errors import NotIdentifiable
from azeotrope.planning.settled import spread_of
from azeotrope.record.interval import Interval, quantile_interval
from azeotrope.tables.checks import check_one_curve, check_sizes
from azeotrope.verdicts.moderated import Common


@dataclass(frozen=True)
class Judged:
    """Contenders in the order of the draws."""

    contenders: tuple[Contender, ...]
    count: int = DRAWS
    seed: int = 0

    @cached_property
    def cells(self) -> JointCells:
        """Mean errors of all contenders at the sizes run, with their noise: what curves are drawn from."""
        return joint_cells([one.curve for one in self.contenders], AXIS)

    @cached_property
    def draws(self) -> Draws:
        """Curves of all contenders drawn together, `count` of each, so that draws may be compared one by one."""
        return draw_curves(self.cells, draws=self.count, seed=self.seed)

    def spread(self, *students: str) -> Common | None:
        """How far differences vary over seeds, from all contenders of these students, as `compare` has it."""
        key = frozenset(students)
        if key not in self._spreads:
            self._spreads[key] = spread_of([one.curve for one in self.contenders if one.student in key])
        return self._spreads[key]

    @cached_property
    def _spreads(self) -> dict[frozenset[str], Common | None]:
        return {}

    def place(self, name: str) -> int:
        """The place of the contender of this name among `contenders`. Raises ValueError when there is none."""
        return self.cells.arms.index(name)

    def errors(self, at: float) -> Floats:
        """Error of every contender and draw at `at` images, [K, R]."""
        return np.asarray(self.draws.errors(np.array([at]))[:, :, 0])

    def error(self, name: str, at: float) -> Interval:
        """Error of one contender at `at` images, with its 90 % interval."""
        return self.draws.intervals(self.place(name), np.array([at]), LEVEL)[0]

    def margin(self, name: str, first: str, at: float) -> Interval:
        """Error of `name` minus that of `first` at `at` images, with its 90 % interval."""
        places = [self.place(name), self.place(first)]
        most = self.draws.most
        (other, own), (value, least) = (
            np.minimum(self.errors(at)[places], most),
            np.minimum(self._middle(at)[places], most),
        )
        return quantile_interval(float(value - least), other - own, LEVEL)

    def _middle(self, at: float) -> Floats:
        return np.asarray(self.draws.middle(np.array([at]))[:, 0])

    def pair(self, first: int, second: int) -> JointCells:
        """The cells of two contenders, as `boundary` and `needs` take them."""
        return joint_cells([self.contenders[first].curve, self.contenders[second].curve], AXIS)


def separate(contenders: Sequence[Contender]) -> tuple[list[Contender], dict[str, str], list[str]]:
    """Those with enough sizes for a law; why the others have not (by name); and what is weak about the former.

    Raises InputError when a contender is no single curve (several values of another axis).
    """
    good: list[Contender] = []
    missing: dict[str, str] = {}
    weak: list[str] = []
    for one in contenders:
        check_one_curve(one.curve, AXIS)
        try:
            weak += check_sizes(one.curve, AXIS)
        except NotIdentifiable as error:
            missing[one.name] = f"{error.rule}; found {error.found}"
        else:
            good.append(one)
    return good, missing, weak
