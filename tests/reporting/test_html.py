"""The page as a reader's browser sees it: self-contained, escaped, with the verdict first."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from azeotrope.record.facts import TaskFacts
from azeotrope.reporting.document import Disagreement, Document
from azeotrope.reporting.drawing import figures
from azeotrope.reporting.drawing.theme import DARK, PALETTE
from azeotrope.reporting.numbers import NotTested, PretrainingCost
from azeotrope.reporting.page.html import Section, page
from azeotrope.reporting.summary import summarise

from .factories import run, three_seeds

EVIL = "<script>alert(1)</script>"
NAMES = (EVIL, "\"quoted\" & 'single'", "🦉 owl", "n" * 300)
PIXEL = "data:image/png;base64,iVBORw0KGgo="


class Elements(HTMLParser):
    """Collects tags and the addresses they load."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [
            value for key, value in attrs if key in ("src", "href", "xlink:href", "srcset", "data", "action")
        ]


def comparison(train_images=500, **extra):
    task = TaskFacts(name=EVIL, fingerprint="f00d", classes=NAMES)
    common = {"task": task, "train_images": train_images}
    runs = [
        *three_seeds("scratch", [220, 221, 225], val_error=0.22, **common),
        *three_seeds("finetune", [219, 223, 222], val_error=0.21, **common),
        *three_seeds("distill", [200, 202, 204], val_error=0.20, seconds={"teacher": 8.0, "train": 10.0}, **common),
        run("distill:kl", 0, state="failed", reason=f"{EVIL} was not finite", **common),
    ]
    return summarise(
        runs,
        not_tested=[NotTested(arm="linear_probe", reason=f"no {EVIL}")],
        warnings=[f"about {EVIL}"],
        plan={"data": EVIL, "seeds": [0, 1, 2]},
        pretraining=PretrainingCost(source="ImageNet-1k", images=1000, epochs=90, images_per_second=100.0),
        **extra,
    )


@pytest.fixture(scope="module")
def text():
    shown = Disagreement(image=PIXEL, label=EVIL, predictions={"scratch": NAMES[1], "distill": EVIL, EVIL: NAMES[3]})
    return page(Document(comparisons=(comparison(),), disagreements=(shown,)))


def test_one_script_is_allowed_by_its_hash_and_nothing_is_loaded(text):
    elements = Elements(text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'" in text
    assert elements.tags.count("script") == 1
    assert set(elements.tags) & {"link", "iframe", "object", "embed", "base", "form"} == set()
    assert all(address.startswith(("data:image/", "#")) for address in elements.loads), elements.loads
    assert not re.search(r"url\(\s*['\"]?https?:|@import", text)


def test_names_from_strangers_are_escaped_everywhere(text):
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&#34;quoted&#34; &amp; &#39;single&#39;" in text
    assert "🦉 owl" in text


def test_an_arms_name_cannot_leave_a_figure():
    runs = [run("scratch", seed) for seed in (0, 1, 2)] + [run("distill", seed) for seed in (0, 1, 2)]
    renamed = [item.model_copy(update={"arm": EVIL}) if item.strategy == "distill" else item for item in runs]
    assert EVIL not in page(Document(comparisons=(summarise(renamed),)))


def test_a_picture_must_be_a_data_uri():
    with pytest.raises(ValueError, match="String should match pattern"):
        Disagreement(image="https://example.org/a.png", label="a", predictions={})


def test_the_verdict_comes_before_any_table_or_figure(text):
    said = text.index("distill beats scratch by 2.0 points")
    assert said < text.index("<table")
    assert said < text.index("<svg")


def test_a_number_is_not_torn_from_its_unit_or_its_interval(text):
    assert re.search(r"20\.2\u00a0%", text)
    assert re.search(r"\[\d\.\d,\u00a0\d\.\d\]", text)


def test_an_inconclusive_answer_is_said_as_plainly():
    runs = [run(arm, seed, errors=wrong) for arm, wrong in (("scratch", 205), ("distill", 200)) for seed in (0, 1)]
    text = page(Document(comparisons=(summarise(runs),)))
    head = text[: text.index("<table")]
    assert ">INCONCLUSIVE<" in head
    assert "is inconclusive: gain" in head
    assert "These runs do not decide which is better: there are 2 paired seeds, and a verdict needs 3." in head


def test_pretraining_is_counted_only_for_arms_that_start_from_such_weights(text):
    # 1,000 images x 90 epochs at 100 images/s are 900 s; finetune's run takes 11 s, scratch's too
    costs = text[text.index("What each arm costs") :]
    rows = {
        name: costs[costs.index(f'row" data-sort="{name}">') :].split("</tr>")[0] for name in ("scratch", "finetune")
    }
    assert "15 min 11 s" in rows["finetune"]
    assert "15 min" not in rows["scratch"]


def test_failures_omissions_and_the_plan_are_on_the_page(text):
    for part in (
        "1 run failed",
        "was not finite",
        "What was not tested",
        "Read with care",
        "Machine and versions",
        "Plan",
    ):
        assert part in text


def test_several_sizes_get_a_curve_and_their_own_sections():
    text = page(Document(comparisons=(comparison(500), comparison(1000))))
    assert "Error by number of training images" in text
    assert "<h2>500 training images</h2>" in text
    assert "<h2>1,000 training images</h2>" in text
    assert text.count("What was not tested") == 1


def test_one_size_has_no_curve(text):
    assert "Error by number of training images" not in text


def test_a_further_section_is_drawn():
    section = Section("The law", "Fitted to <these> runs.", lambda: figures.errors(comparison()))
    text = page(Document(comparisons=(comparison(),)), [section])
    assert "The law" in text
    assert "Fitted to &lt;these&gt; runs." in text


def test_a_figure_that_cannot_be_drawn_costs_neither_the_page_nor_the_others(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a <bad> scale")

    whole = page(Document(comparisons=(comparison(),)))
    monkeypatch.setattr(figures, "seconds", broken)
    text = page(Document(comparisons=(comparison(),)), [Section("The law", "Two sizes do not make one.", None)])
    assert text.count("This figure could not be drawn.") == 1
    assert "This should not have happened: ZeroDivisionError: a &lt;bad&gt; scale" in text
    assert text.count("<svg") == whole.count("<svg") - 1
    assert "Two sizes do not make one." in text
    assert "could not be drawn" not in whole


def test_a_mark_carries_its_numbers_and_its_run_as_a_tooltip(text):
    assert "<title>scratch, seed 0: 22.0 %, run scratch-0-500</title>" in text
    assert "<title>distill, training: 10.0 s</title>" in text


def test_every_colour_of_a_figure_has_one_for_dark_pages(text):
    drawings = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawings)) - {"none", "transparent"}
    assert {colour for colour in used if not colour.startswith("url")} <= set(DARK)
    assert set(PALETTE) <= set(DARK)


def test_identifiers_of_figures_do_not_clash(text):
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))


def test_a_page_without_a_finished_arm_says_so():
    text = page(Document(comparisons=(summarise([run(state="failed", reason="disk full")]),)))
    assert "No arm finished" in text
    assert "disk full" in text
