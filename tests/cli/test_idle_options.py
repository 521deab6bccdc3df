"""No option is passed over in silence: where it changes nothing it is refused. The table names every option of every
command, with a line in which it has no effect, or with why there is none.
"""

from pathlib import Path

import pytest
import typer

from azeotrope.cli.__main__ import build
from azeotrope.lookup import members

ALWAYS = "has an effect wherever the command runs"
CHECKED = "contradictions are refused where labels are read: tests/cli/test_kind_options.py, tests/data"
ALLOWS = "allows what would be refused; where nothing is refused there is nothing to allow"
RUNS = "tests/golden/fashion-mnist-boundary"
NO_ARM = "compare digits -s test_resnet --arms scratch"

LABELS = dict.fromkeys(
    (
        *(
            "--kind",
            "--label-column",
            "--separator",
            "--unit",
            "--path-column",
            "--split-column",
            "--layout",
            "--range",
            "--bands",
            "--bits",
            "--colours",
            "--fit",
            "--formats",
        ),
        *("--group", "--group-by", "--keep-leaks"),
    ),
    CHECKED,
)
RECIPE = dict.fromkeys(
    (
        *("--epochs", "--patience", "--batch-images", "--accumulate", "--learning-rates", "--schedule"),
        *(
            "--weight-average",
            "--metric",
            "--views",
            "--mirror",
            "--image-size",
            "--precision",
            "--compile",
            "--held-out",
        ),
        "--sampling",
    ),
    ALWAYS,
)
NO_LABELS = "{} digits -t test_resnet -s test_resnet {} distill:kl+cross_entropy=0 --image-size 32"
MACHINE = dict.fromkeys(("--cache", "--strict", "--device", "--json", "--debug", "--help"), ALWAYS)
TRAINS = LABELS | RECIPE | MACHINE | {"--seen-weights": ALLOWS, "--student": ALWAYS, "--arms": ALWAYS}
VALUES = {
    "--kind": "multi",
    "--layout": "class",
    "--range": "0,9",
    "--bands": "all",
    "--bits": "16",
    "--colours": "srgb",
    "--fit": "crop",
    "--formats": "heic",
    "--keep-leaks": "none",
}
MAPPING = ("--x", "--error", "--by", "--where", "--error-unit")
CURVES = dict.fromkeys(("--law", "--priors", "--draws", "--practical", "--plot", *MAPPING), ALWAYS)


def on_labels(command, arms="--arms"):
    """Options of the loss on labels, on a line whose arm has none."""
    line = NO_LABELS.format(command, arms)
    return {
        "--class-weights": f"{line} --class-weights auto",
        "--logit-adjustment": f"{line} --logit-adjustment 1",
    }


def taught(line, upstream="1000"):
    """Options of a teacher, of an upstream set and of further pictures, on a line that has none of these."""
    return {
        "--teacher-size": f"{line} --teacher-size 64",
        "--teacher-head": f"{line} --teacher-head linear",
        "--teacher-folds": f"{line} --teacher-folds 3",
        "--weak-teacher": f"{line} --weak-teacher",
        "--teacher-bands": f"{line} --teacher-bands 3,2,1",
        "--cache-gb": f"{line} --cache-gb 1",
        "--verify-cache": f"{line} --verify-cache",
        "--teacher": f"{line} --teacher test_resnet --arms scratch",
        "--upstream": f"{line} --upstream fractals:10x10 --pretrain-images {upstream} --arms scratch",
        "--pretrain-images": f"{line} --pretrain-images {upstream}",
        "--unlabelled": f"{line} --unlabelled digits --arms scratch",
        "--synth": f"{line} --synth made --arms scratch",
        "--synth-as": f"{line} --synth-as labelled --unlabelled digits",
        "--mix": f"{line} --mix 2",
    }


OPTIONS = {
    "compare": TRAINS
    | taught("compare digits -s test_resnet")
    | on_labels("compare")
    | {
        "--out": ALWAYS,
        "--deploy": ALWAYS,
        "--folds": ALWAYS,
        "--workers": ALWAYS,
        "--track": ALWAYS,
        "--train-images": ALWAYS,
        "--seeds": ALWAYS,
        "--device-budget": "compare digits -s test_resnet --device-budget 5MB",
        "--losses": "compare digits -s test_resnet --arms scratch --losses kl",
    },
    "check": TRAINS
    | taught("check digits -s test_resnet")
    | on_labels("check")
    | {
        "--train-images": ALWAYS,
        "--seeds": ALWAYS,
        "--suspect-labels": "check digits -s test_resnet --suspect-labels new.csv",
    },
    "distill": TRAINS
    | taught("distill digits -s test_resnet -t test_resnet --arm finetune")
    | on_labels("distill", "--arm")
    | {
        "--arm": ALWAYS,
        "--out": ALWAYS,
        "--track": ALWAYS,
        "--train-images": ALWAYS,
        "--seed": ALWAYS,
        "--teacher": "distill digits -s test_resnet -t test_resnet --arm finetune",
        "--upstream": "distill digits -s test_resnet -t test_resnet --upstream fractals:10x10 --pretrain-images 9",
        "--unlabelled": "refused where no arm uses it: tests/synthesis/test_synth.py",
        "--synth": "refused where no arm uses it: tests/synthesis/test_synth.py",
        **dict.fromkeys(
            ("--teacher-size", "--teacher-head", "--teacher-folds", "--teacher-bands", "--cache-gb", "--verify-cache"),
            "has a teacher: it must be named",
        ),
        "--weak-teacher": ALLOWS,
    },
    "sweep": TRAINS
    | taught("sweep digits -s test_resnet -n 100")
    | on_labels("sweep -n 100")
    | {
        "--at": "sweep digits -s test_resnet -n 100 --at 50",
        "--train-images": ALWAYS,
        "--seeds": ALWAYS,
        "--budget": ALWAYS,
        "--hourly-price": "sweep digits -s test_resnet -n 100 --arms scratch --hourly-price 2 --budget 1h",
        "--ladder": "sweep digits -s test_resnet --ladder mobilenetv4",
        "--max-parameters": "sweep digits -s test_resnet --max-parameters 10",
        "--address": "sweep digits -s test_resnet --address host:1",
        **dict.fromkeys(("--engine", "--workers", "--threads", "--out", "--dry-run", "--deploy", "--folds"), ALWAYS),
        "--track": "sweep digits -s test_resnet -n 100 --arms scratch --dry-run --track tensorboard",
        "--retry-failed": "sweep digits -s test_resnet -n 100 --arms scratch --dry-run --retry-failed",
    },
    "synth": LABELS
    | MACHINE
    | {
        **dict.fromkeys(("--teacher", "--generator", "--train", "--per-class", "--out", "--train-images"), ALWAYS),
        **dict.fromkeys(("--teacher-size", "--agreement", "--diverse", "--steps", "--guidance"), ALWAYS),
        **dict.fromkeys(("--picture-size", "--batch-pictures", "--format", "--precision", "--held-out"), ALWAYS),
        "--seed": ALWAYS,
        "--verify-cache": ALWAYS,
        "--multiple": "synth digits -t test_resnet --train --per-class 1 --multiple 2x",
        "--seeds": "synth digits -t test_resnet --train --per-class 1 --seed 1 --seeds 2",
        "--method": "synth digits -t test_resnet --train --per-class 1 --method text",
        "--template": "synth digits -t test_resnet -g x --per-class 1 --method vary --template {class}",
        "--descriptions": "synth digits -t test_resnet --train --per-class 1 --descriptions x",
        "--strength": "synth digits -t test_resnet -g x --per-class 1 --strength 0.5",
        "--revision": "synth digits -t test_resnet --train --per-class 1 --revision x",
        "--training-steps": "synth digits -t test_resnet -g x --per-class 1 --training-steps 5",
    },
    "advise": CURVES
    | MACHINE
    | {
        **dict.fromkeys(("--images", "--reachable", "--target-error", "--max-parameters", "--max-latency-ms"), ALWAYS),
        **dict.fromkeys(("--max-size-mb", "--hourly-price", "--teacher-exists", "--hub", "--draw-seed"), ALWAYS),
        "--deploy": "advise digits -s test_resnet --deploy onnx",
        "--at": f"advise {RUNS} --images 2000 --at 100",
        "--student": f"advise {RUNS} --student test_resnet",
        "--students-sharing": f"advise {RUNS} --teacher-exists --students-sharing 2",
        "--teacher": f"advise {RUNS} --teacher nonsense",
        "--teacher-bands": f"advise {RUNS} --teacher-bands 3,2,1",
        "--budget": f"advise {RUNS} --budget 1h",
        "--out": f"advise {RUNS} --out elsewhere",
        **{flag: f"advise {RUNS} {flag} {VALUES.get(flag, 'x')}".removesuffix(" none") for flag in LABELS},
        **{
            flag: f"advise digits -s test_resnet {flag} {'a=b' if flag in ('--x', '--where') else 'loss'}"
            for flag in MAPPING
        },
    },
    "boundary": CURVES
    | MACHINE
    | dict.fromkeys(("--axis", "--challenger", "--baseline", "--at", "--draw-seed"), ALWAYS),
    "fit": CURVES
    | MACHINE
    | {
        **dict.fromkeys(("--at", "--forecast", "--residual-loss"), ALWAYS),
        "--draw-seed": f"fit {RUNS} --draws 0 --draw-seed 1",
    },
    "report": MACHINE
    | {
        "--out": ALWAYS,
        "--class": "report runs.csv --class 1",
        **{flag: f"report {RUNS} {flag} {'a=b' if flag in ('--x', '--where') else 'loss'}" for flag in MAPPING},
    },
    "export": MACHINE
    | LABELS
    | {
        **dict.fromkeys(("--to", "--out", "--max-drop", "--validation-images", "--data", "--held-out"), ALWAYS),
        "--calibration-images": "export nowhere --to onnx --calibration-images 5",
        "--page": "export nowhere --to pt2 --page npm",
        "--env": "export nowhere --to pt2 --env make",
    },
    "predict": MACHINE | {"--top": "tests/cli/test_kind_options.py", "--threshold": "tests/cli/test_others.py"},
    "list": MACHINE | {"--ladder": "list teachers --ladder foo"},
    "demo": MACHINE | {"--out": ALWAYS},
    "schema": MACHINE,
}
COMMANDS = {name: typer.main.get_command(build()).commands[name] for name in members("cli")}
LINES = [
    pytest.param(line, flag, id=f"{name}{flag}")
    for name, options in OPTIONS.items()
    for flag, line in options.items()
    if line.startswith(f"{name} ")
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_table(name):
    written = {option.opts[0] for option in COMMANDS[name].params if option.param_type_name == "option"}
    assert written <= set(OPTIONS[name])


@pytest.mark.parametrize(("line", "flag"), LINES)
def test_an_option_without_effect_is_refused(cli, tmp_path, monkeypatch, line, flag):
    line = line.replace(RUNS, str(Path(RUNS).resolve()))
    monkeypatch.chdir(tmp_path)
    done = cli(*line.split())
    assert (done.status, done.out) == (2, ""), (done.out, done.err)
    named = {flag, flag.removeprefix("--").replace("-", "_"), flag.removeprefix("--").replace("-", " ")}
    assert any(word in done.said for word in named), done.said
    assert "Traceback" not in done.err
