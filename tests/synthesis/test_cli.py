import pytest

from azeotrope.arm import Arm
from azeotrope.errors import InputError


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Pictures need one generator. Found: neither --train nor --generator."),
        (["--train", "-g", "x"], "Found: both --train and --generator."),
        (["-g", "x", "--template", "a photo"], "every template must hold {class}"),
        (["--train", "--multiple", "many"], "A multiple is a positive number of times. Found: many."),
        (["--train", "--training-steps", "9", "--picture-size", "999"], "training.picture_size: Input should be less"),
        (["-g", "x", "--method", "vary", "--strength", "2"], "strength: Input should be less than or equal to 1"),
        (["-g", "x", "--descriptions", "nowhere.txt"], "The descriptions nowhere.txt cannot be read"),
        (["-g", "x", "--method", "vary", "--steps", "1"], "less than 1: 1 times 0.6"),
        (
            ["--train", "--method", "text", "--strength", "0.6", "--template", "{class}", "--revision", "main"],
            "Found: --method, --strength, --template, --revision: they change nothing beside --train.",
        ),
        (["--train", "--descriptions", "words.txt"], "Found: --descriptions: they change nothing beside --train."),
        (["-g", "x", "--training-steps", "9"], "Found: --training-steps: they change nothing beside --method text."),
        (["-g", "x", "--strength", "0.6"], "Found: --strength: they change nothing beside --method text."),
        (
            ["-g", "x", "--method", "mix", "--template", "{class}"],
            "Found: --template: they change nothing beside --method mix.",
        ),
    ],
)
def test_wrong_options_are_wrong_usage(cli, tmp_path, options, said):
    done = cli("synth", "digits", "-t", "tf_efficientnet_lite0", "--out", tmp_path / "out", *options)
    assert done.status == 2
    assert said in done.said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    ["distill+unlabelled", "distill+synth=2x", "distill+synth=0.5x@hub:kl", "distill+unlabelled=10x:kl+soft_labels"],
)
def test_arms_with_pictures_are_read_as_they_are_written(text):
    assert Arm.parse(text).name == text


@pytest.mark.parametrize("text", ["distill+synth=twox", "distill+", "distill+synth=-1x", "finetune+unlabelled"])
def test_other_arms_with_pictures_are_refused_with_the_form(text):
    with pytest.raises(InputError, match=r"strategy\[\+pictures\]"):
        Arm.parse(text)


def test_distill_uses_the_pictures_that_were_named():
    from azeotrope.cli._options.groups import Pictures
    from azeotrope.cli.distill import arm_with

    unlabelled = Pictures(unlabelled="pool").spec()
    assert arm_with("distill@hub:kl", unlabelled) == "distill+unlabelled@hub:kl"
    assert arm_with("distill", Pictures(synth="sets").spec()) == "distill+synth"
    assert arm_with("distill+synth=2x", unlabelled) == "distill+synth=2x"
    assert arm_with("scratch", unlabelled) == "scratch"
    assert arm_with("distill", None) == "distill"
    assert Pictures().spec() is None
    both = Pictures(unlabelled="pool", synth="sets").spec()
    assert arm_with("distill+synth", both) == "distill+synth"
    with pytest.raises(InputError, match=r"one kind of further pictures. Found: both --unlabelled and --synth"):
        arm_with("distill@hub", both)
