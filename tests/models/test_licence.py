"""Names as the hub's own list of licences and well-known cards write them."""

import pytest

from azeotrope.models.pretrained import licence


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("license: apache-2.0\ntags:\n- vision", "apache-2.0"),
        ("license: other\nlicense_name: dinov3-license\nlicense_link: https://example.org", "dinov3-license"),
        ("license:\n- mit\n- cc-by-4.0", "mit, cc-by-4.0"),
        ("tags: [vision]", None),
        ("license: [unclosed", None),
        ("just words", None),
    ],
)
def test_the_card_says_it(front, expected):
    assert licence.of_card(f"---\n{front}\n---\n# A model\n") == expected


def test_without_front_matter_nothing_is_known():
    assert licence.of_card("# A model\n\nlicense: mit") is None


def test_a_weights_file_has_the_card_beside_it(tmp_path):
    assert licence.beside(tmp_path / "model.safetensors") is None
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert licence.beside(tmp_path / "model.safetensors") == licence.beside(tmp_path) == "mit"


@pytest.mark.parametrize("name", ["cc-by-nc-4.0", "CC-BY-NC-SA-4.0", "fair-noncommercial-research-license"])
def test_licences_against_commercial_use(name):
    assert licence.objection(name) == "does not allow commercial use"


@pytest.mark.parametrize("name", ["apple-amlr", "research-only", "academic"])
def test_licences_for_research(name):
    assert licence.objection(name) == "allows research only"


@pytest.mark.parametrize("name", [None, "mit", "apache-2.0", "bsd-3-clause", "dinov3-license", "cc-by-4.0", "gpl-3.0"])
def test_others_are_only_shown(name):
    assert licence.objection(name) is None
