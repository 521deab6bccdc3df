"""Which laws can be asked of these runs: by the axes that vary, the number of sizes, and whether error has a ceiling.

It does not rank them; `average.py` does, from hold-out.
"""

from __future__ import annotations

from azeotrope.laws._law import Law, law

_ONE_AXIS = ("power", "power_floor", "shifted", "bounded", "sigmoid", "broken")
_TWO_AXES = {
    ("parameters", "train_images"): ("additive", "multiplicative"),
    ("parameters", "pretrain_images"): ("additive", "multiplicative"),
    ("pretrain_images", "train_images"): ("multiplicative", "transfer_gap", "effective_data"),
}

BREAK_SIZES = 8
"""`broken` has six parameters; with fewer sizes its priors would do the fitting."""


def default_forms(axes: tuple[str, ...], sizes: int, chance: float | None) -> list[Law]:
    """The laws to fit and average. `axes` in the order of the law's symbols, data last; `sizes` along one axis, or cells along two.

    `chance` None (a loss, or classes unknown) leaves out the forms with a ceiling; no form has more parameters than sizes.
    """
    keys = _ONE_AXIS if len(axes) == 1 else _TWO_AXES.get(axes, ())
    return [form for form in map(law, keys) if _answerable(form, sizes, chance)]


def _answerable(form: Law, sizes: int, chance: float | None) -> bool:
    if chance is None and any(parameter.given for parameter in form.parameters):
        return False
    return len(form.linear) + sum(bool(p.grid) for p in form.parameters) <= sizes and (
        form.key != "broken" or sizes >= BREAK_SIZES
    )
