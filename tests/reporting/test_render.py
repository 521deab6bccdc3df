import re
import xml.etree.ElementTree as ElementTree

import altair as alt
import pytest

from azeotrope.errors import InputError, StoreError
from azeotrope.reporting.drawing import render
from azeotrope.reporting.drawing.theme import PALETTE


@pytest.fixture
def chart():
    values = [{"images": 10, "error": 0.5, "arm": "a"}, {"images": 100, "error": 0.2, "arm": "b"}]
    return alt.Chart(alt.Data(values=values)).mark_line(clip=True).encode(x="images:Q", y="error:Q", color="arm:N")


def test_svg_is_xml_that_wears_the_theme(chart):
    text = render.svg(chart)
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert PALETTE[0].lower() in text.lower()


def test_the_callers_theme_is_left_alone(chart):
    before = alt.theme.active
    render.svg(chart)
    assert alt.theme.active == before


def test_two_figures_in_one_page_share_no_identifier(chart):
    texts = [render.svg(chart), render.svg(chart.properties(width=300))]
    first, second = (set(re.findall(r'\bid="([^"]+)"', text)) for text in texts)
    assert first
    assert second
    assert not first & second
    for text in texts:
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(re.findall(r'\bid="([^"]+)"', text))


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("a.HTML", b"<!DOCTYPE html>")])
def test_the_extension_chooses_the_format(chart, tmp_path, name, start):
    path = render.save(chart, tmp_path / "figures" / name)
    assert path.read_bytes().lstrip().startswith(start)


def test_a_saved_page_loads_nothing_from_elsewhere(chart, tmp_path):
    page = render.save(chart, tmp_path / "a.html").read_text()
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?https?:', page)


@pytest.mark.parametrize("name", ["a.gif", "figure"])
def test_another_extension_is_refused_with_the_ones_there_are(chart, tmp_path, name):
    with pytest.raises(InputError, match=r"extension.*Found: .*Allowed: \.svg, \.png, \.html\. Next: .*\.svg"):
        render.save(chart, tmp_path / name)


def test_a_folder_that_cannot_be_written_is_said(chart, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        render.save(chart, tmp_path / "file" / "a.svg")
