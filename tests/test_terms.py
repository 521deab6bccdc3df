"""Sums of losses as they are written."""

import pytest

from azeotrope.errors import InputError
from azeotrope.terms import Term, losses_text, parse_losses, split


@pytest.mark.parametrize(
    ("text", "losses"),
    [
        ("kl", {"kl": 1.0}),
        ("kl(T=1)", {"kl(T=1)": 1.0}),
        ("kl(T=1)=0.5", {"kl(T=1)": 0.5}),
        ("kl(T=1)=1..0+info_nce", {"kl(T=1)": (1.0, 0.0), "info_nce": 1.0}),
        ("align_uniform(hidden=features)+kl", {"align_uniform(hidden=features)": 1.0, "kl": 1.0}),
        ("kl+cross_entropy=0", {"kl": 1.0, "cross_entropy": 0.0}),
    ],
)
def test_losses_are_read_and_written_back(text, losses):
    assert parse_losses(text) == losses
    assert losses_text(losses) == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("align_uniform(hidden=1280,alpha=2)", "align_uniform(alpha=2,hidden=1280)"),
        ("align-uniform( alpha = 2.0 , hidden=1280 )", "align_uniform(alpha=2,hidden=1280)"),
        ("kl(T=1.50)", "kl(T=1.5)"),
        ("kl(T=1e+1)", "kl(T=10)"),
        ("kl(T=0.1234567891)", "kl(T=0.1234567891)"),
        ("kl()", "kl"),
    ],
)
def test_what_means_the_same_has_one_key(text, key):
    assert list(parse_losses(text)) == [key]
    assert Term.parse(key).key == key


def test_only_what_stands_outside_parentheses_separates():
    assert split("a(b=1e+3,c=2)+d,e", ",") == ["a(b=1e+3,c=2)+d", "e"]
    assert parse_losses("kl(T=1e+1)+info_nce") == {"kl(T=10)": 1.0, "info_nce": 1.0}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kl(T=1", "Found: kl(T=1. "),
        ("kl(T=1)x", "Found: kl(T=1)x. "),
        ("kl(T)", "Found: kl(T): T is not parameter=value. "),
        ("kl(T=1,)", "Found: kl(T=1,): nothing is not parameter=value. "),
        ("kl(T=)", "Found: kl(T=): nothing is neither a number nor a word. "),
        ("kl(T=1,T=2)", "Found: kl(T=1,T=2): each parameter may be given once, and T is twice. "),
        ("kl(T=1)+kl(T=2)", "Found: kl(T=1)+kl(T=2): each loss may be named once, and kl is twice. "),
        ("kl+", "Found: nothing. "),
    ],
)
def test_what_is_not_written_as_losses_are_is_refused_with_the_form(text, found):
    with pytest.raises(InputError) as refusal:
        parse_losses(text)
    assert str(refusal.value) == (
        f"This is not how losses are written. {found}"
        "Allowed: loss, loss(parameter=value,...), either with =WEIGHT or =FIRST..LAST, joined by '+'."
    )
