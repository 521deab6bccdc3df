"""The report in a real Chromium, on a phone and on a desk: no request, nothing cut off, all of it within reach.

Run by `make test-browser`; the default run has no browser.
"""

from itertools import pairwise

import pytest

from azeotrope.record.facts import TaskFacts
from azeotrope.record.storage.training_curve import Epoch
from azeotrope.reporting.document import Disagreement, Document
from azeotrope.reporting.numbers import NotTested
from azeotrope.reporting.page.html import page as report
from azeotrope.reporting.summary import summarise

from .factories import run, three_seeds

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror='document.title=\"broken\"'><b>bold</b>"
RTL = "כלב גדול"
NAMES = (EVIL, RTL, "قطة", "🦉 owl", "n" * 300, *(f"class {place}" for place in range(195)))
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TASK = TaskFacts(name=f"photos/{RTL}", fingerprint="f00d", classes=NAMES, common_class=RTL, common_error=0.7)
SECONDS = {
    "decode": 1.0,
    "tune_teacher": 3.0,
    "teacher": 8.0,
    "head": 0.4,
    "tuning": 20.0,
    "train": 10.0,
    "evaluate": 1.0,
}
MANY = [f"distill:kl(T={t})+align_uniform(hidden={width})=0.5" for t in range(1, 11) for width in (64, 128, 256)][:29]
WIDTHS = (360, 1400)


def comparison(train_images, worse, better, arms=("distill:kl",)):
    facts = {"task": TASK, "train_images": train_images, "seconds": SECONDS}
    runs = three_seeds("scratch", worse, val_error=0.3, **facts)
    for place, arm in enumerate(arms):
        runs += three_seeds(arm, [wrong - 3 * place for wrong in better], val_error=0.2 - 0.001 * place, **facts)
    runs.append(run("finetune", 0, state="failed", reason=f"{EVIL} was not finite", **facts))
    return summarise(
        runs,
        not_tested=[NotTested(arm="linear_probe", reason=f"no {EVIL}")],
        warnings=[f"{NAMES[4]} is long"],
        plan={"data": EVIL},
    )


PICTURES = (
    Disagreement(image=PICTURE, label=RTL, predictions={"scratch": EVIL, "distill:kl": RTL}),
    Disagreement(image=PICTURE, label=NAMES[4], predictions={"scratch": NAMES[2], "distill:kl": NAMES[4]}),
)
SIZES = (comparison(125, [300, 305, 310], [295, 310, 300]), comparison(500, [220, 222, 221], [200, 201, 199]))
MANY_ARMS = comparison(500, [320, 322, 321], [300, 301, 299], MANY)


def curves(*comparisons):
    """Of every run: three epochs, all judged."""
    runs = (run_id for item in comparisons for arm in item.arms for run_id in arm.run_ids)
    epochs = tuple(Epoch(e, 1e-3, 500.0, 4 / (e + 1), {"kl": 1.0}, 0.4 / (e + 1), 1.0) for e in range(3))
    return dict.fromkeys(runs, epochs)


DOCUMENTS = {
    "one size": Document(comparisons=SIZES[1:], disagreements=PICTURES),
    "two sizes": Document(comparisons=SIZES, disagreements=PICTURES, curves=curves(*SIZES)),
    "thirty arms": Document(comparisons=(MANY_ARMS,), curves=curves(MANY_ARMS)),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, document in DOCUMENTS.items():
        (folder / f"{name}.html").write_text(report(document), encoding="utf-8")
    return folder


@pytest.fixture(params=DOCUMENTS)
def name(request):
    return request.param


@pytest.fixture
def show(chromium, files, name):
    """Opens the page; at the end nothing may have been said on the console or asked of anybody."""
    opened, said, asked = [], [], []

    def open_page(width=1400, scheme="light"):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((files / f"{name}.html").as_uri())
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == len(opened)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(show, width):
    page = show(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = """() => [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg, .clip') &&
        e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(outside) == []


def test_names_are_text_and_never_markup(show):
    page = show()
    assert page.title() == f"photos/{RTL}: distil, fine-tune or train from scratch?"
    assert page.locator("img").count() == page.locator(".picture img").count()
    assert page.locator("b", has_text="bold").count() == 0
    assert page.locator(f'text="{EVIL}"').count() or page.get_by_text(EVIL).count()


def test_the_answer_is_one_sentence_before_everything_else(show, name):
    page = show()
    assert page.locator(".verdict .say").count() == 1
    first = page.locator("main p, main table, main svg").first
    assert first.evaluate("e => e.classList.contains('say')")
    if name == "two sizes":
        open_, decided = page.locator(".verdict .say").inner_text().split("; ")
        assert open_ == "These runs do not decide at 125 training images"
        assert decided == "distill:kl beats scratch at 500 training images, by 2.1 points."


def test_every_mark_of_a_figure_tells_its_numbers(show):
    page = show()
    told = page.evaluate(
        """() => [...document.querySelectorAll('svg path[role=graphics-symbol], svg rect[role=graphics-symbol]')]
        .map(e => e.querySelector('title')?.textContent ?? '')"""
    )
    assert len(told) > 5
    assert [text for text in told if not any(sign.isdigit() for sign in text)] == []
    assert any("seed 0: " in text and ", run " in text for text in told)
    dot = page.locator("svg path[aria-roledescription=point]").last  # on top of the dots of its seeds
    dot.hover()
    box = dot.bounding_box()
    at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    assert page.evaluate("at => document.elementFromPoint(...at).querySelector('title').textContent", at)


def test_a_table_is_sorted_by_its_heading_with_mouse_and_keyboard(show, name):
    page = show()
    table = page.locator("table.sortable").first
    order = "t => [...t.tBodies[0].rows].map(r => r.cells[1].dataset.sort)"
    numbers = sorted(float(text) for text in table.evaluate(order) if text)
    table.locator("th button").nth(1).click()
    found = table.evaluate(order)
    assert [float(text) for text in found if text] == numbers
    assert found[len(numbers) :] == [""] * (len(found) - len(numbers))
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "ascending"
    table.locator("th button").nth(1).focus()
    page.keyboard.press("Enter")
    assert [float(text) for text in table.evaluate(order) if text] == numbers[::-1]
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "descending"


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const light = (c) => c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] > .99) return c; } return [255, 255, 255, 1]; };
  const poor = [];
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || e.closest('title') || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), ink = rgba(e.closest('svg') ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push([walker.currentNode.textContent.trim().slice(0, 40), ratio]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(show, scheme):
    page = show(scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert page.evaluate(CONTRAST) == []


def test_dark_pages_are_dark_and_paper_is_white(show):
    page = show(scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(20, 23, 26)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_printing_opens_what_is_folded(show):
    page = show()
    assert page.locator("details:not([open])").count() > 0
    page.pdf()
    assert page.locator("details:not([open])").count() == 0


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(show):
    page = show(360)
    wanted = page.evaluate(
        """() => [...document.querySelectorAll('[tabindex="0"], button, summary, a[href]')]
        .filter(e => e.checkVisibility()).map((e, i) => (e.dataset.place = i, i))"""
    )
    reached = []
    for _ in wanted[:40]:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("Number(document.activeElement.dataset.place)"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == wanted[:40]


def test_a_screen_reader_finds_headings_in_order_names_of_regions_and_of_columns(show):
    page = show()
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(e => Number(e.tagName[1]))")
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    regions = page.evaluate("[...document.querySelectorAll('[role=region]')].map(e => e.getAttribute('aria-label'))")
    assert all(regions)
    assert page.evaluate("[...document.querySelectorAll('thead th')].every(e => e.scope === 'col')")
    assert page.evaluate("[...document.querySelectorAll('img')].every(e => e.alt)")
    assert page.evaluate(
        "[...document.querySelectorAll('a')].every(e => document.querySelector(e.getAttribute('href')))"
    )
