"""Advice from images is a sweep and then advice: what is asked of the sweep, and that its runs are read."""

from __future__ import annotations

from azeotrope.advice.needs.limits import Needs
from azeotrope.api.advise_data import advise_data
from azeotrope.record.storage.store import RunStore
from curves.worlds import CROSSING, records


def test_the_plan_asks_about_the_user_s_size_and_the_runs_are_read(tmp_path, monkeypatch):
    asked = []

    def sweep(plan, *, out, **_):
        asked.append(plan)
        store = RunStore(str(out))
        for place, run in enumerate(records({"distill": CROSSING[0], "scratch": CROSSING[1]})):
            store.put(run.model_copy(update={"run_id": f"{place:04x}"}))

    monkeypatch.setattr("azeotrope.api.advise_data.sweep", sweep)
    needs = Needs(images=781, hourly_price=2)  # of which 500 train
    advice = advise_data("digits", needs, students=["tiny"], teachers=["big"], budget="40 runs, 5 EUR", out=tmp_path)
    (plan,) = asked
    assert (plan.data, plan.students, plan.at, plan.train_images) == ("digits", ("tiny",), 500, "auto")
    assert [teacher.model for teacher in plan.teachers] == ["big"]
    assert (plan.budget.runs, plan.budget.seconds) == (40, 2.5 * 3600)
    assert advice.recommendation.arm == "distill"
