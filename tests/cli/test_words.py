"""What the texts of options say, and how wrong ones are refused."""

import pytest

from azeotrope.cli._options import words
from azeotrope.errors import InputError


def test_ranges_and_bands_are_read():
    assert words.value_range("0,4095") == (0, 4095)
    assert words.value_range("percentile") == "percentile"
    assert words.value_range(None) is None
    assert words.bands("4, 3,2", "--bands") == (4, 3, 2)


@pytest.mark.parametrize("text", ["low,high", "5", "1,2,3", "", "Percentile"])
def test_a_range_that_is_none_is_refused(text):
    with pytest.raises(InputError) as refused:
        words.value_range(text)
    assert refused.value.rule == "--range is two numbers, black and white, or percentile"
    assert refused.value.found == text


@pytest.mark.parametrize("flag", ["--bands", "--teacher-bands"])
@pytest.mark.parametrize("text", ["0,1", "red", "1;2", "-1", ""])
def test_bands_that_are_no_numbers_are_refused(text, flag):
    with pytest.raises(InputError) as refused:
        words.bands(text, flag)
    assert refused.value.rule == f"{flag} takes numbers of bands, from 1"
    assert refused.value.found == text
