"""What the files of an export target change, in words: which verdicts stand, and which arm validation chooses now."""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.record.storage.verification import File
from azeotrope.reporting import verdict_words, words
from azeotrope.reporting.numbers import Comparison, DeployedArm, DeployedSummary, Estimate, VerdictSummary


def ranking(found: DeployedSummary, comparison: Comparison) -> str:
    """Like "Of 3 verdicts on the networks, 2 stand on the onnx-int8 files; distill against scratch: BEATS becomes
    INCONCLUSIVE. Validation chooses distill, as of the networks".
    """
    pairs = _pairs(found, comparison)
    if not pairs:
        return f"No verdict on the {found.target} files can be given. {_choice(found, comparison)}"
    lacking = len(comparison.verdicts) - len(pairs)
    changed = [(network, file) for network, file in pairs if network.verdict != file.verdict]
    asked, standing = words.plural(len(comparison.verdicts), "verdict"), len(pairs) - len(changed)
    said = f"Of {asked} on the networks, {standing or 'none'} {'stands' if standing == 1 else 'stand'} "
    said += f"on the {found.target} files"
    said += "".join(f"; {one.a} against {one.b}: {one.verdict} becomes {two.verdict}" for one, two in changed)
    said += f"; {lacking} cannot be given, for want of files" if lacking else ""
    return f"{said}. {_choice(found, comparison)}"


def sentences(found: DeployedSummary, comparison: Comparison) -> list[str]:
    """The verdicts on the files, one after the other."""
    return [f"as {found.target}, {verdict_words.sentence(verdict, comparison)}" for verdict in found.verdicts]


def lost(arm: DeployedArm) -> str:
    """Points of error that the files add to their networks, like "+0.4 [0.1, 0.7]"."""
    return words.MISSING if arm.lost is None else words.gain_interval(arm.lost.negated())


def dropped(file: File) -> str:
    """The same of one exported file on validation images."""
    lost = file.drop
    return words.gain_interval(Estimate(value=lost.value, low=lost.low, high=lost.high).negated())


def milliseconds(latency_ms: float | None) -> str:
    """The latency of one image on one thread."""
    return words.MISSING if latency_ms is None else f"{latency_ms:.3g} ms"


def megabytes(size_mb: float | None) -> str:
    """The size of a file."""
    return words.MISSING if size_mb is None else f"{size_mb:.3g} MB"


def int8(share: float | None) -> str:
    """The share of products that are computed in 8 bits; a dash for a float file."""
    return words.MISSING if share is None else f"{100 * share:.0f} %"


def missing(found: DeployedSummary) -> list[str]:
    """Which arms have no file, with the reasons."""
    return [f"{arm.name} as {found.target}: {reason}" for arm in found.arms for reason in arm.missing]


def _pairs(found: DeployedSummary, comparison: Comparison) -> Sequence[tuple[VerdictSummary, VerdictSummary]]:
    """The verdicts that were asked of both, of the networks and of the files."""
    both = ((network, found.verdict(network.a, network.b)) for network in comparison.verdicts)
    return [(network, file) for network, file in both if file is not None]


def _choice(found: DeployedSummary, comparison: Comparison) -> str:
    if found.winner is None:
        return "No arm has such a file of every seed"
    if found.winner == comparison.winner:
        return f"Validation chooses {found.winner}, as of the networks"
    return f"Validation chooses {found.winner} instead of {comparison.winner}"
