"""The words that an option takes where only some will do."""

from __future__ import annotations

from enum import StrEnum


class Head(StrEnum):
    """`--teacher-head`."""

    linear = "linear"
    finetune = "finetune"
    zero_shot = "zero-shot"


class Kind(StrEnum):
    """`--kind`."""

    single = "single"
    multi = "multi"
    number = "number"


class Layout(StrEnum):
    """`--layout`."""

    by_class = "class"
    by_split = "split/class"
    by_class_then_split = "class/split"
    by_group = "group/class"


class Colours(StrEnum):
    """`--colours`."""

    stored = "stored"
    srgb = "srgb"


class Fit(StrEnum):
    """`--fit`."""

    squeeze = "squeeze"
    crop = "crop"
    pad = "pad"


class Precision(StrEnum):
    """`--precision`."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


class Schedule(StrEnum):
    """`--schedule`."""

    cosine = "cosine"
    constant = "constant"


class Sampling(StrEnum):
    """`--sampling`."""

    shuffled = "shuffled"
    balanced = "balanced"


class SynthUse(StrEnum):
    """`--synth-as`."""

    distill = "distill"
    labelled = "labelled"


class Method(StrEnum):
    """`--method` of `synth`."""

    text = "text"
    vary = "vary"
    mix = "mix"


class Format(StrEnum):
    """`--format` of `synth`."""

    png = "png"
    jpeg = "jpeg"


class ErrorUnit(StrEnum):
    """`--error-unit`."""

    auto = "auto"
    fraction = "fraction"
    percent = "percent"
    loss = "loss"


class Residuals(StrEnum):
    """`--residual-loss` of `fit`."""

    squared = "squared"
    huber = "huber"


class Family(StrEnum):
    """What `list` lists."""

    teachers = "teachers"
    students = "students"
    losses = "losses"
    laws = "laws"
    sources = "sources"
    strategies = "strategies"
    targets = "targets"
