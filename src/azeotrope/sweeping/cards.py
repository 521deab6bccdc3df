"""Whether the runs of a plan can be shared by the cards that are to train together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.recipe import Recipe
from azeotrope.sweeping.spec import RunSpec


def require_shares(specs: Iterable[RunSpec], device: Device) -> None:
    """Raises InputError for a batch, or the further pictures of a step, that are no equal shares for these cards, or
    for parts (`accumulate`) that a share is too small for.
    """
    if device.shares == 1:
        return
    for spec in specs:
        for recipe, size in _trainings(spec):
            fitting = device.shares * max(1, recipe.batch_images // device.shares)
            other = f"--batch-images {fitting}, which is then the batch of all sizes"
            _require_equal(recipe.batch_images, f"images a batch with {size:,} training images", other, device)
            _require_parts(recipe, device)
        if spec.extra is not None:
            found = f"further pictures a step with {spec.train_images:,} training images"
            _require_equal(spec.extra.per_step, found, "another --mix or --batch-images", device)


def _trainings(spec: RunSpec) -> Iterator[tuple[Recipe, int]]:
    """The recipe of each training of a run, and how many images it trains on."""
    yield spec.recipe, spec.train_images
    if spec.upstream is not None:
        yield spec.upstream.recipe, spec.upstream.pretrain_images


def _require_equal(images: int, called: str, other: str, device: Device) -> None:
    if images % device.shares == 0:
        return
    own = f"--workers {device.shares} --device {device.kind}, which gives each card runs of its own"
    raise InputError(
        f"{device.called} share every batch equally",
        found=f"{images:,} {called}",
        allowed=f"a multiple of {device.shares}",
        next_step=f"take {own}; or {other}",
    )


def _require_parts(recipe: Recipe, device: Device) -> None:
    """BatchNorm of a part without images would be NaN, and nothing would say so."""
    parts, share = recipe.accumulate, recipe.batch_images // device.shares
    if parts > share:
        raise InputError(
            "Each card goes through its share of a batch in parts",
            found=f"--accumulate {parts} of {share} images on each of {device.shares} cards",
            allowed=f"at most {share}",
            next_step="take fewer parts: shares are small already",
        )
