import pytest
import timm

from azeotrope.errors import InputError
from azeotrope.models import ladder as module
from azeotrope.models.cost import parameters
from azeotrope.models.ladder import STUDENTS, ladder, rung


def test_a_family_is_ordered_by_parameters():
    rungs = ladder("test_vit")
    assert [one.parameters for one in rungs] == sorted(one.parameters for one in rungs)
    assert {one.name for one in rungs} == {f"timm:{name}" for name in timm.list_models("test_vit*")}


def test_counts_are_those_of_the_built_model():
    assert rung("test_resnet").parameters == parameters(timm.create_model("test_resnet", num_classes=0))


def test_the_short_list_spans_sizes_and_exists(monkeypatch):
    assert all(timm.is_model(name) for name in STUDENTS)
    monkeypatch.setattr(module, "STUDENTS", ("resnet18", "test_vit2"))
    assert [one.name for one in ladder()] == ["timm:test_vit2", "timm:resnet18"]


def test_members_of_a_family_are_timed_and_the_short_list_is_not(monkeypatch):
    monkeypatch.setattr(module, "STUDENTS", ("test_vit2",))
    monkeypatch.setattr(module, "LARGEST_TIMED", 500_000)
    assert ladder()[0].latency_ms is None
    by_name = {one.name: one for one in ladder("test_vit")}
    assert by_name["timm:test_vit2"].latency_ms > 0
    assert by_name["timm:test_vit4"].latency_ms is None  # 0.9 million parameters


def test_an_unknown_family_offers_the_nearest():
    with pytest.raises(InputError, match=r"no family of students named 'mobilnetv4'.*nearest: mobilenetv4"):
        ladder("mobilnetv4")


def test_a_family_too_large_to_list():
    with pytest.raises(InputError, match=r"'vit' is too large.*Found: \d+ models.*Allowed: 60 or fewer"):
        ladder("vit")
