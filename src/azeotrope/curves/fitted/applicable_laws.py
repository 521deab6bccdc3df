"""Which laws can be asked of these runs: by the axes that vary, the number of sizes, and whether error has a ceiling.

It does not rank them; `average.py` does, from hold-out.
"""

from __future__ import annotations

from azeotrope.laws._law import Law, law

_ONE_AXIS = ("power", "power_floor", "shifted", "bounded", "sigmoid", "broken")
_SEVERAL_AXES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("parameters", "train_images"): ("additive", "multiplicative"),
    ("parameters", "pretrain_images"): ("additive", "multiplicative"),
    ("pretrain_images", "train_images"): ("multiplicative", "transfer_gap", "effective_data"),
    ("parameters", "pretrain_images", "train_images"): ("joint_multiplicative", "joint_effective_data"),
}

BREAK_SIZES = 5
"""`broken` has six parameters, five with priors. On the `fit` rows of the vision curves, thinned to 5, 6, 7 sizes and
cut at half their length, averages with it foresaw the hidden half with RMSE 0.028, 0.038, 0.038; without it 0.033,
0.056, 0.057."""


def default_forms(axes: tuple[str, ...], sizes: int, chance: float | None, *, priors: bool = True) -> list[Law]:
    """The laws to fit and average. `axes` in the order of the law's symbols, data last; `sizes` along one axis, or
    cells along several.

    `chance` None (a loss) leaves out the forms with a ceiling. No form has more parameters than
    sizes, those with priors not counted.
    """
    keys = _ONE_AXIS if len(axes) == 1 else _SEVERAL_AXES.get(axes, ())
    return [form for form in map(law, keys) if _answerable(form, sizes, chance, priors=priors)]


def _answerable(form: Law, sizes: int, chance: float | None, *, priors: bool) -> bool:
    if chance is None and any(parameter.given for parameter in form.parameters):
        return False
    if form.key == "broken" and sizes < BREAK_SIZES:
        return False
    return sum(not (p.given or (priors and p.prior)) for p in form.parameters) <= sizes


_STANDS_FOR = {"N": "parameters", "P": "pretrain_images"}


def is_in(form: Law, axes: tuple[str, ...]) -> bool:
    """Whether the law is a formula in these axes: as many, and of several all but the last are what its symbols stand
    for.

    Laws of one axis take any, and so does the symbol X.
    """
    if len(form.symbols) != len(axes):
        return False
    others = zip(form.symbols[:-1], axes[:-1], strict=True)
    return all(_STANDS_FOR.get(symbol, axis) == axis for symbol, axis in others)


def takes(form: Law, lowest: tuple[float, ...]) -> bool:
    """Whether the law is defined at these smallest sizes, one an axis."""
    return all(size > 0 or symbol not in form.needs_positive for symbol, size in zip(form.symbols, lowest, strict=True))
