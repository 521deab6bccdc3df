"""Which device to compute on, and in which precision: what was asked, or what this machine has and can use."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import distributed
from torch.nn import functional

from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.plan import AskedPrecision, Precision

_NAMES = re.compile(r"cpu|mps|cuda(:\d+)?")
_SEVERAL = re.compile(r"cuda:\d+(,\d+)+|cpu(,cpu)+")
_ON_THE_PROCESSOR = "take --device cpu, or leave --device out"


def choose(precision: AskedPrecision = "auto", device: str = "auto", *, several: bool = False) -> Device:
    """The device that is asked for, tried; by default CUDA where a trial of it works, else the CPU. And bf16 where the
    hardware multiplies it natively. With `several`, for work that cards can share, more than one may be named.

    Measured on AVX-512 without AMX: in bf16 students train 1.1 to 1.5 times and EfficientNet-Lite0 embeds 1.5 times as
    fast (docs/log.md). Raises InputError for a device that is not there or does not compute, and for a
    precision that it does not have.
    """
    cards: tuple[str, ...] = ()
    if _SEVERAL.fullmatch(device):
        cards = _together(device, several)
        name, reason = cards[0], f"these {len(cards)} share every batch"
    else:
        name, reason = _found() if device == "auto" else (_asked(device), "")
    if precision == "auto":
        precision = "bf16" if all(map(_multiplies_bf16, cards or (name,))) else "fp32"
    for each in cards or (name,):
        _check_precision(precision, each)
    return Device(name, precision, reason, cards)


def _together(named: str, several: bool) -> tuple[str, ...]:
    """The cards of `cuda:0,1`, each tried; `cpu,cpu` are two processes on the processor."""
    kind, _, numbers = named.partition(":")
    cards = tuple(f"{kind}:{number}" for number in numbers.split(",")) if numbers else tuple(named.split(","))
    if not several:
        raise InputError(
            "Several cards share the training of a run, and nothing else",
            found=f"--device {named}",
            allowed="compare, distill, sweep and check",
            next_step=f"take one, such as --device {cards[0]}",
        )
    if numbers and len(set(cards)) < len(cards):
        raise InputError("Each card has one share of a batch", found=named, next_step="name each card once")
    for card in dict.fromkeys(cards):
        _asked(card)
    if not distributed.is_available() or (kind == "cuda" and not distributed.is_nccl_available()):
        raise InputError(
            "Cards that train together need a torch that connects them (torch.distributed, NCCL for CUDA)",
            found=f"torch {torch.__version__} without",
            next_step=f"take one card, --device {cards[0]}; or --workers {len(cards)} --device cuda, a run on each",
        )
    return cards


def _found() -> tuple[str, str]:
    """(the best device here, why it is that one; nothing to say of a machine with a processor only)."""
    present = _present()
    if present is None:
        return "cpu", ""
    if present != "cuda":
        also = f"; --device {present} computes on the accelerator" if _NAMES.fullmatch(present) else ""
        return "cpu", f"only CUDA is taken unasked{also}"
    if fault := _fault("cuda"):
        return "cpu", f"a trial on {_card('cuda')} failed ({fault})"
    return "cuda", f"a trial on {_card('cuda')} worked"


def _asked(name: str) -> str:
    """The name itself. Raises InputError where nothing computes under it."""
    if not _NAMES.fullmatch(name):
        raise InputError(
            "--device names what computes",
            found=name,
            allowed="auto, cpu, cuda, cuda:N (card N, from 0), cuda:0,1 or mps",
        )
    kind, _, number = name.partition(":")
    if kind == "cpu":
        return name
    if _present() != kind:
        raise InputError(
            f"Torch finds no {kind} device here", found=f"torch {torch.__version__}", next_step=_next_step(kind)
        )
    if number and int(number) >= (cards := torch.accelerator.device_count()):
        raise InputError(
            f"There is no {name} here",
            found="one card" if cards == 1 else f"{cards} cards",
            allowed=", ".join(f"cuda:{card}" for card in range(cards)),
        )
    if fault := _fault(name):
        raise InputError(
            f"A convolution on {name} failed",
            found=f"{_card(name)}, torch {torch.__version__}: {fault}",
            next_step=f"install a build of torch that serves this card (see pytorch.org), or {_ON_THE_PROCESSOR}",
        )
    return name


def _next_step(kind: str) -> str:
    if kind == "mps":
        return f"mps needs a Mac with Apple silicon; {_ON_THE_PROCESSOR}"
    return f"look whether `nvidia-smi` shows the card, and install a build of torch for CUDA; or {_ON_THE_PROCESSOR}"


def _present() -> str | None:
    """The kind of accelerator that torch can use here."""
    there = torch.accelerator.current_accelerator(check_available=True)
    return None if there is None else there.type


def _card(name: str) -> str:
    return Device(name, "fp32").accelerator or name


def _fault(name: str) -> str | None:
    """Train a tiny convolution there: what torch says against it, in one line. A card may be found and yet be too old
    for the kernels that torch brings, which shows in the first kernel only.
    """
    try:
        images = torch.ones(1, 3, 8, 8, device=name)
        weights = torch.ones(4, 3, 3, 3, device=name, requires_grad=True)
        functional.conv2d(images, weights).sum().backward()  # type: ignore[no-untyped-call]
        torch.accelerator.synchronize(name)
    except (RuntimeError, AssertionError) as error:
        return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return None


def _check_precision(precision: Precision, name: str) -> None:
    """A processor may emulate bf16, slowly, so that runs of another machine can be repeated there."""
    if precision == "fp16" and name == "cpu":
        raise InputError(
            "fp16 needs a GPU",
            found="the processor computes",
            allowed="fp32 or bf16 on a processor",
            next_step="leave --precision out, or name a GPU with --device",
        )
    if precision == "bf16" and name != "cpu" and not _multiplies_bf16(name):
        raise InputError(
            f"{_card(name)} does not multiply bf16 itself, and converting would cost time",
            found=f"--precision bf16 on {name}",
            allowed="fp16 or fp32 on this device",
            next_step="take --precision fp16, or leave it out",
        )


def _multiplies_bf16(name: str) -> bool:
    """Natively. Of MPS nobody says: the first chips convert."""
    if name == "cpu":
        return _cpu_has_bf16()
    if name == "mps":
        return False
    with torch.cuda.device(name):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _cpu_has_bf16() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and any(flag in cpuinfo.read_text(encoding="utf-8") for flag in ("amx_bf16", "avx512_bf16"))
