"""What the owner of a classifier sees of it, from stored answers: in the report and on the page of one class."""

import json
import subprocess
import sys

import numpy as np
import pytest

import azeotrope
from azeotrope.analysis.comparisons import compared
from azeotrope.errors import InputError
from azeotrope.record.facts import TaskFacts
from azeotrope.record.run import pack_correctness
from azeotrope.record.storage.answers import Answers, TestSet, keep_answers, keep_test_set
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.document import Document, Mistake
from azeotrope.reporting.page import files
from azeotrope.reporting.page.class_page import of_class, text

from .factories import run

CLASSES = ("cat", "<b>dog</b>", "owl")
TASK = TaskFacts(name="synthetic", fingerprint="f00d", classes=CLASSES)
LABELS = np.random.default_rng(7).integers(0, 3, 300)


@pytest.fixture
def store(tmp_path):
    """Two arms of three seeds; scratch takes half of the owls for cats, distill a tenth."""
    runs = RunStore(str(tmp_path))
    for arm, share in (("scratch", 0.5), ("distill", 0.1)):
        for seed in range(3):
            random = np.random.default_rng([seed, int(100 * share)])
            said = np.where((LABELS == 2) & (random.random(300) < share), 0, LABELS)
            sure = np.full((300, 3), 0.05)
            sure[np.arange(300), said] = 0.9
            record = run(
                arm, seed, task=TASK, test_images=300, test_error=float((said != LABELS).mean()),
                correct=pack_correctness(said == LABELS), val_error=share,
            )  # fmt: skip
            runs.put(record)
            keep_answers(runs, record.run_id, Answers(said, sure.astype(np.float16)))
    keep_test_set(runs, TestSet(tuple(f"{place}.png" for place in range(300)), LABELS))
    return tmp_path


def test_each_arm_is_diagnosed_from_its_stored_answers(store):
    (comparison,) = compared(store)
    scratch, distill = (comparison.diagnosis.arm(name) for name in ("scratch", "distill"))
    owl = scratch.classes[2]
    assert (owl.name, owl.support) == ("owl", int((LABELS == 2).sum()))
    assert owl.recall.low < 0.5 < owl.recall.high
    assert distill.classes[2].recall.value > 0.85
    assert [(pair.label, pair.answer) for pair in scratch.confused] == [("owl", "cat")]
    assert np.sum(scratch.confusion) == pytest.approx(300)
    (between,) = comparison.diagnosis.between
    assert (between.a, between.b) == ("distill", "scratch")
    assert between.classes[2].recall.low > 0.2
    assert distill.coverage[0].error.value == pytest.approx(np.mean([comparison.arm("distill").test_error.value]))


def test_the_report_shows_it_and_escapes_names(store):
    page = azeotrope.report(store).read_text()
    assert "What they get right and wrong" in page
    assert "<bdi>owl</bdi> taken for <bdi>cat</bdi>" in page
    assert "Are probabilities true?" in page
    assert "Error when the unsure is refused" in page
    assert "<b>dog</b>" not in page
    assert "&lt;b&gt;dog&lt;/b&gt;" in page


def test_numbers_are_in_compare_json(store):
    files.write(store, Document(comparisons=compared(store)))
    content = json.loads((store / "compare.json").read_text())
    assert content["diagnosis"]["arms"][0]["classes"][2]["recall"].keys() == {"value", "low", "high", "level"}
    assert compared(store)[0].diagnosis == files.read_comparisons(store)[0].diagnosis


def test_the_page_of_one_class(store, capsys):
    picture = Mistake(
        name="17.png", image="data:image/png;base64,iVBORw0KGgo=", label="owl", answer="cat", probability=0.97
    )
    document = Document(comparisons=compared(store), mistakes=(picture,))
    files.write(store, document)
    path = azeotrope.report(store, of_class="owl")
    assert path == store / "class-3.html"
    page = path.read_text()
    assert picture.image in page
    assert "17.png" in page
    found = of_class(document, "owl")
    assert [arm.taken_for[0].answer for arm in found.arms] == ["cat", "cat"]
    assert found.arms[0].taken == ()
    from rich.console import Console

    Console(width=100, color_system=None).print(text(found))
    said = capsys.readouterr().out
    assert "scratch: taken for cat" in said
    assert "Recall of distill against scratch: +" in said
    assert "17.png: labelled owl, all runs together say cat (97.0 %)" in said


def test_it_needs_no_torch(store):
    code = f"import sys, azeotrope; print(azeotrope.report({str(store)!r}, of_class='cat'), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("class-1.html False"), done.stderr


def refused(runs, **options):
    with pytest.raises(InputError) as caught:
        azeotrope.report(runs, **options)
    return str(caught.value)


def test_classes_that_are_not_there(store, tmp_path):
    assert refused(store, of_class="owls") == (
        "The task synthetic has no class 'owls'. Allowed: nearest: owl. Next: correct --class."
    )
    (store / "predictions" / "test_set.npz").unlink()
    assert "A page of one class needs the answers that runs leave" in refused(store, of_class="owl")
    assert compared(store)[0].diagnosis is None
    (tmp_path / "t.csv").write_text("arm,train_images,test_error\na,10,0.5\n")
    assert "Found: a table of runs" in refused(tmp_path / "t.csv", of_class="owl")
