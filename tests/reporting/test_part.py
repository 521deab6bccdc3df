"""What a part that cannot be made leaves: a reason. The rest is tested where the parts stand (test_html.py)."""

import pytest

from azeotrope.errors import NotIdentifiable
from azeotrope.reporting.page.part import Missing, attempt


def test_what_can_be_made_is_given():
    assert attempt(lambda: 3) == 3


def test_a_refusal_keeps_its_words_and_a_defect_is_called_one():
    def refused():
        raise NotIdentifiable("A law needs at least 3 sizes", found="2")

    assert attempt(refused) == Missing("A law needs at least 3 sizes. Found: 2.")
    assert attempt(lambda: 1 / 0) == Missing("This should not have happened: ZeroDivisionError: division by zero")


def test_ctrl_c_is_no_missing_part():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted)
