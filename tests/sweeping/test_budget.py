import math

import pytest

from azeotrope.errors import InputError
from azeotrope.sweeping.budget import FORM, Budget, Meter


@pytest.mark.parametrize(
    ("text", "hours", "runs", "money"),
    [
        ("1h", 1.0, None, None),
        ("30m", 0.5, None, None),
        ("30 min", 0.5, None, None),
        ("90s", 0.025, None, None),
        ("1h30m", 1.5, None, None),
        ("1.5h", 1.5, None, None),
        ("40 runs", None, 40, None),
        ("1 run", None, 1, None),
        ("2h, 40 runs", 2.0, 40, None),
        ("5 EUR", None, None, 5.0),
    ],
)
def test_a_budget_is_read_as_it_is_written(text, hours, runs, money):
    found = Budget.parse(text, hourly_price=0.5)
    assert (found.hours, found.runs, found.money) == (pytest.approx(hours) if hours else None, runs, money)


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1 hour ago", "1d", "40 rnus", "5 euro", "1h 40 runs", "1e3h"])
def test_what_is_no_amount_with_a_unit_is_refused(text):
    with pytest.raises(InputError) as refusal:
        Budget.parse(text)
    assert str(refusal.value) == f"A budget is an amount with its unit. Found: {text!r}. Allowed: {FORM}."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1h,2h", "The budget names hours twice. Found: 1h,2h."),
        ("0h", "hours: Input should be greater than 0"),
        ("0 runs", "runs: Input should be greater than or equal to 1"),
        ("5 EUR", "money buys hours only at a known hourly_price"),
    ],
)
def test_amounts_that_cannot_be_are_refused(text, message):
    with pytest.raises(InputError) as refusal:
        Budget.parse(text)
    assert message in str(refusal.value)


def test_money_buys_hours_and_the_smaller_limit_holds():
    assert Budget(money=3, hourly_price=0.5).seconds == 6 * 3600
    assert Budget(money=3, hourly_price=0.5, hours=2).seconds == 2 * 3600
    assert Budget(runs=3).seconds is None


def test_a_run_may_begin_only_when_it_ends_within_the_budget():
    now = [0.0]
    meter = Meter(Budget(hours=1 / 36), clock=lambda: now[0])  # 100 seconds
    assert meter.fits(100)
    now[0] = 60.0
    assert meter.seconds_left == pytest.approx(40)
    assert meter.fits(39)
    assert not meter.fits(41)


def test_runs_are_counted():
    meter = Meter(Budget(runs=2))
    assert meter.seconds_left == math.inf
    meter.runs = 2
    assert not meter.fits(0)
