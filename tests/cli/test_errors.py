"""Exit statuses and the text of errors: a line each for the rule, found, allowed and the next step; a traceback with
--debug only.
"""

import pytest


def compare(out, *more, data="digits", student="test_resnet"):
    return ["compare", data, "--student", student, "--image-size", "32", "-n", "60", "--out", out, *more]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "compare dgits -s test_resnet",
            "'dgits' is neither a path nor a known source of images. Found: nearest: digits.",
        ),
        ("compare digits -s resnet10x", "no timm model named 'resnet10x'. Allowed: nearest: resnet10t"),
        ("compare digits -s tmm:resnet10t", "no model source named 'tmm'. Allowed: nearest: timm"),
        (
            "compare digits -s test_resnet -t tf_efficientnet_lit0",
            "no timm model named 'tf_efficientnet_lit0'. Allowed: nearest: tf_efficientnet_lite0",
        ),
        (
            "compare digits -s test_resnet --arms distill:kll",
            "no loss named 'kll'. Allowed: nearest: kl. Next: take one of these names, or see `azeotrope list`.",
        ),
        (
            "distill digits -s test_resnet -t test_resnt",
            "no timm model named 'test_resnt'. Allowed: nearest: test_resnet",
        ),
        ("check digits -s test_resnt", "no timm model named 'test_resnt'. Allowed: nearest: test_resnet"),
        ("list students --ladder mobilnetv4", "no family of students named 'mobilnetv4'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(cli, tmp_path, monkeypatch, line, words):
    monkeypatch.chdir(tmp_path)
    done = cli(*line.split())
    assert (done.status, done.out) == (2, "")
    assert words in done.said
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["compare", "check", "distill"])
def test_a_device_that_is_none_is_refused_before_images_are_read(cli, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    done = cli(command, "digits", "-s", "test_resnet", "-t", "test_resnet", "--device", "gpu")
    assert done.status == 2
    assert "--device names what computes. Found: gpu. Allowed: auto, cpu, cuda, cuda:N" in done.said
    assert "reading images" not in done.err


@pytest.mark.parametrize("names", ["-s resnet10x", "-s test_resnet -t tf_efficientnet_lit0"])
def test_a_mistyped_model_does_not_cost_a_scan_of_the_images(cli, tmp_path, names):
    done = cli("compare", "digits", *names.split(), "--out", tmp_path / "out")
    assert done.status == 2
    assert "reading images" not in done.err


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ("wobble", "'scratch', 'linear_probe', 'finetune' or 'distill'"),
        ("scratch@hub", "scratch starts from random weights; to train pretrained weights take finetune"),
        ("finetune@random", "finetune needs pretrained weights: init hub or upstream"),
        ("scratch:kl", "scratch trains on labels only; losses go with distill"),
        ("distill@moon", "'random', 'hub' or 'upstream'"),
        ("distill:kl=much", "A loss weight must be a number. Found: kl=much"),
        ("distill:kl=0", "a loss weight must be positive"),
        ("distill:kl", "The arm distill:kl needs a teacher. Next: name one with --teacher"),
        ("finetune@upstream", "The arm finetune@upstream needs an upstream source. Next: name one with --upstream"),
        ("scratch,scratch", "A comparison needs arms, each once. Found: scratch, scratch"),
        (",", "A comparison needs arms, each once. Found: none"),
    ],
)
def test_arms_that_cannot_be(cli, tmp_path, arms, words):
    done = cli(*compare(tmp_path / "out", "--arms", arms))
    assert (done.status, done.out) == (2, "")
    assert words in done.said
    assert "Traceback" not in done.err
    assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--upstream", "digits"), "Found: --upstream alone"),
        (("--pretrain-images", "10"), "Found: --pretrain-images alone"),
        (("--learning-rates", "fast"), "--learning-rates is a list of numbers. Found: fast"),
        (("--learning-rates", "1e-3,1e-3"), "learning_rates must be a list of different positive numbers"),
        (("--epochs", "0"), "epochs: Input should be greater than or equal to 1"),
        (("--precision", "fp8"), "'fp8' is not one of 'auto', 'fp32', 'bf16', 'fp16'"),
        (("--seeds", "0"), "--seeds is a number of paired seeds, or auto. Found: 0."),
        (("--train-images", "0"), "Numbers of images are whole numbers, 1 or more. Found: 0."),
        (("--train-images", "250,many"), "Numbers of images are whole numbers, 1 or more. Found: 250,many."),
        (("--train-images", "250,250"), "train_images: each may be named once"),
        (("--image-size", "0"), "Invalid value for '--image-size'"),
        (("--wobble",), "No such option: --wobble"),
        (("--train-images", "99999"), "A subset cannot be larger than"),
    ],
)
def test_options_that_cannot_be(cli, tmp_path, more, words):
    done = cli(*compare(tmp_path / "out", "--arms", "scratch", *more))
    assert (done.status, done.out) == (2, "")
    assert words in done.said
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("compar", "digits"), "No such command 'compar'"),
        (("distill", "digits"), "Missing option '--student'"),
        (("list", "students", "teachers"), "unexpected extra argument"),
        (("list", "studnts"), "'studnts' is not one of 'teachers', 'students', 'losses'"),
        (("report", "nowhere"), "A report is made from records. Found: none that can be read"),
        (("predict", "nowhere", "image.png"), "Found: no model.yaml in nowhere."),
        (("check", "digits", "--seeds", "0"), "Invalid value for '--seeds'"),
    ],
)
def test_wrong_usage_has_status_2(cli, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments)
    assert (done.status, done.out) == (2, "")
    assert words in done.said
    assert "Traceback" not in done.err


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_adds_the_traceback_and_keeps_status_and_message(cli, tmp_path, place):
    arguments = ["report", str(tmp_path)]
    plain = cli(*arguments)
    debugged = cli(*arguments[:place], "--debug", *arguments[place:])
    assert debugged.status == plain.status == 2
    assert "Traceback (most recent call last)" in debugged.err
    assert debugged.err.endswith(plain.err)


def test_ctrl_c_says_how_to_go_on(cli, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("azeotrope.api.listing.listing", interrupted)
    done = cli("list", "losses")
    assert (done.status, done.out) == (130, "")
    assert done.err == "error: Interrupted.\nnext: run the same command again: it resumes.\n"


def test_an_error_has_a_line_for_each_part(cli):
    done = cli("fit", "nowhere.csv", "--x", "images")
    assert (done.status, done.out) == (2, "")
    assert (
        done.err
        == "error: --x takes NAME=VALUE.\nfound: images.\nallowed: such as images=n_train.\nnext: correct it.\n"
    )


def test_a_defect_is_called_one_and_says_how_to_show_it(cli, monkeypatch):
    def broken(*_):
        raise KeyError("gone")

    monkeypatch.setattr("azeotrope.api.listing.listing", broken)
    done = cli("list", "losses")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "error: This should not have happened: KeyError: 'gone'.\nnext: add --debug, and report what it shows.\n"
    )
    with pytest.raises(KeyError):
        cli("list", "losses", "--debug")


def test_a_comparison_in_which_no_run_finishes_has_status_1_and_keeps_the_reason(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("azeotrope.session.comparisons.pretraining_cost.training_rate", lambda *_: 100.0)
    rates = ("--arms", "scratch", "--seeds", "1", "--epochs", "1", "--learning-rates", "1e30", "--precision", "fp32")
    done = cli(*compare(tmp_path / "out", *rates))
    assert done.status == 1
    assert "No arm finished" in done.out
    assert "The loss is not finite at step" in " ".join(done.out.split())
    assert "Traceback" not in done.err
    assert not (tmp_path / "out" / "models").exists()


def test_a_distillation_that_fails_has_status_1_and_says_why(cli, tmp_path, teacher_model):
    rates = ("--epochs", "1", "--learning-rates", "1e30", "--precision", "fp32", "-n", "200", "--image-size", "32")
    teacher = ("--teacher", teacher_model, "--teacher-size", "32")
    done = cli("distill", "digits", "-s", "test_resnet", *teacher, *rates, "--out", tmp_path / "out")
    assert (done.status, done.out) == (1, "")
    assert "The loss is not finite at step" in done.said
    assert "at learning rate 1e+30" in done.said
