"""The contract of an export target, as checks that a stranger's target can be put through too.

Each check is a function of a target, what it converts, and real pictures; it raises AssertionError with what was
expected.
`CHECKS` lists them. With pytest:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check, converted, pictures):
        check(mytarget, converted, pictures)
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt

from azeotrope.exporting.target import Conversion, Program, Target
from azeotrope.exporting.verification import TOLERANCE, eager

INT8_TOLERANCE = 0.25  # of the spread of the outputs, on average over images


@dataclass(frozen=True)
class Converted:
    """What a target made of a conversion, in `folder`."""

    conversion: Conversion
    folder: Path
    file: Path

    def opened(self, target: Target) -> Program:
        """The file in its own runtime."""
        return target.open_program(self.file, self.conversion.deployed.outputs)


def converted(target: Target, conversion: Conversion, folder: Path) -> Converted:
    """Convert into `folder`, which must be empty."""
    file = folder / target.FILES[0]
    target.convert(conversion, file)
    return Converted(conversion, folder, file)


def writes_its_files_and_no_others(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """`FILES` are all that a person has to take along."""
    found = sorted(path.name for path in made.folder.iterdir())
    assert found == sorted(target.FILES), f"{found} were written, FILES are {target.FILES}"


def works_from_another_folder(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """Nothing in the files names where they were made."""
    with tempfile.TemporaryDirectory() as folder:
        for name in target.FILES:
            (Path(folder) / name).write_bytes((made.folder / name).read_bytes())
        program = target.open_program(Path(folder) / target.FILES[0], made.conversion.deployed.outputs)
        assert np.isfinite(program.answer(pixels[:1])[0]).all(), "the answer must be finite numbers"


def answers_every_output(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """In the order of `Deployed.outputs`, [n, classes] each; probabilities are those of the logits."""
    logits, probabilities = made.opened(target).answer(pixels)
    assert logits.shape == probabilities.shape == (len(pixels), len(made.conversion.deployed.head.bias))
    told = np.exp(logits - logits.max(1, keepdims=True))
    gap = np.abs(probabilities - told / told.sum(1, keepdims=True)).max()
    assert gap < 1e-4, f"probabilities must be the softmax of the logits, and are {gap:.2g} off"


def answers_any_number_of_images(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """An answer does not depend on the images beside it."""
    program = made.opened(target)
    together = program.answer(pixels[:3])[0]
    alone = np.concatenate([program.answer(pixels[place : place + 1])[0] for place in range(3)])
    gap = np.abs(together - alone).max()
    assert gap <= 1e-4 * max(1.0, np.abs(alone).max()), f"alone and together an image's answers are {gap:.2g} apart"


def answers_what_the_module_answers(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """On real pictures, and on black and white ones."""
    ends = np.stack([np.zeros_like(pixels[0]), np.full_like(pixels[0], 255)])
    given = np.concatenate([pixels, ends]) if not target.INT8 else pixels  # ranges come from pictures
    wanted, found = eager(made.conversion.deployed, given).numpy(), made.opened(target).answer(given)[0]
    if target.INT8:
        gap = float(np.abs(wanted - found).mean() / wanted.std())
        assert gap < INT8_TOLERANCE, f"8-bit outputs are {gap:.2g} of their spread apart on average"
    else:
        gap = float(np.abs(wanted - found).max() / wanted.std())
        assert gap < TOLERANCE, f"outputs are {gap:.2g} of their spread apart"


def tells_its_share_of_int8(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """None of a float file; of an int8 file, of which this network allows all, more than a half."""
    share = made.opened(target).int8_share()
    if target.INT8:
        assert share is not None
        assert 0.5 < share <= 1, f"an int8 file computes {share} in 8 bits"
    else:
        assert share is None, f"a float file tells a share of {share}"


def is_timed_on_one_image(target: Target, made: Converted, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
    """Milliseconds in order."""
    latency = made.opened(target).latency(pixels[:1])
    assert 0 < latency.p10_ms <= latency.median_ms <= latency.p90_ms


Check = Callable[[Target, Converted, UInt[np.ndarray, "n bands H W"]], None]
CHECKS: tuple[Check, ...] = (
    writes_its_files_and_no_others,
    works_from_another_folder,
    answers_every_output,
    answers_any_number_of_images,
    answers_what_the_module_answers,
    tells_its_share_of_int8,
    is_timed_on_one_image,
)
