"""Whether the runs of a plan can be shared by the cards that are to train together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.sweeping.spec import RunSpec


def require_shares(specs: Iterable[RunSpec], device: Device) -> None:
    """Raises InputError for a batch, or the further pictures of a step, that are no equal shares for these cards, or
    for parts (`accumulate`) that a share is too small for.
    """
    count = device.shares
    if count == 1:
        return
    for spec in specs:
        for images, option in _batches(spec):
            if images % count or images < count:
                fitting = count * max(1, images // count)
                raise InputError(
                    f"{device.called} share every batch equally",
                    found=f"{images:,} {'images a batch' if option == '--batch-images' else 'further pictures a step'}",
                    allowed=f"a multiple of {count}",
                    next_step=f"take --batch-images {fitting}, or one card"
                    if option == "--batch-images"
                    else f"change {option} or --batch-images, or take one card",
                )
        parts, share = spec.recipe.accumulate, spec.recipe.batch_images // count
        if parts > share:
            raise InputError(
                "Each card goes through its share of a batch in parts",
                found=f"--accumulate {parts} of {share} images on each of {count} cards",
                allowed=f"at most {share}",
                next_step="take fewer parts: shares are small already",
            )


def _batches(spec: RunSpec) -> Iterator[tuple[int, str]]:
    """How many images each kind of step has, and the option that decides it."""
    yield spec.recipe.batch_images, "--batch-images"
    if spec.extra is not None:
        yield spec.extra.per_step, "--mix"
    if spec.upstream is not None:
        yield spec.pretraining().recipe.batch_images, "--batch-images"
