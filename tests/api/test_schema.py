"""The schemas are JSON Schemas, name every command that has `--json`, and fit files that azeotrope wrote long ago."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import azeotrope
from azeotrope.api.schema import _FORMS
from azeotrope.lookup import members
from azeotrope.spec import to_yaml
from documents import without_other_keys

GOLDEN = Path(__file__).parents[1] / "golden" / "fashion-mnist-sweep"
WITHOUT_JSON = {"schema"}


@pytest.mark.parametrize("name", _FORMS)
def test_a_schema_is_one_and_says_its_version(name):
    schema = azeotrope.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:azeotrope:{name}:1"
    assert ("schema" in schema["properties"]) is not name.endswith("plan")


def test_every_command_with_json_has_a_schema():
    assert {name.removesuffix("_") for name in members("cli")} - WITHOUT_JSON <= set(_FORMS)


def test_records_of_a_real_sweep_fit():
    schema = without_other_keys(azeotrope.schema("record"))
    records = [json.loads(file.read_text()) for file in sorted((GOLDEN / "runs").glob("*.json"))[:20]]
    assert len(records) == 20
    for record in records:
        jsonschema.validate(record, schema)


def test_a_plan_file_fits():
    plan = azeotrope.SweepPlan.model_validate({"data": "digits", "students": "test_resnet", "train_images": [60, 80]})
    jsonschema.validate(yaml.safe_load(to_yaml(plan)), without_other_keys(azeotrope.schema("plan")))


def test_a_wrong_document_is_told():
    with pytest.raises(jsonschema.ValidationError, match="'image' is a required property"):
        jsonschema.validate({"schema": 1, "predictions": [{"classes": []}]}, azeotrope.schema("predict"))


def test_answers_over_sizes_fit():
    boundary = azeotrope.boundary(
        str(GOLDEN),
        columns=azeotrope.Columns(where={"student": "test_resnet"}),
        draws=100,
        challenger="distill",
        baseline="scratch",
    )
    jsonschema.validate(json.loads(boundary.to_json()), without_other_keys(azeotrope.schema("boundary")))


def test_an_unknown_name_is_answered_with_the_nearest(cli):
    done = cli("schema", "predct")
    assert done.status == 2
    assert "There is no document named 'predct'. Found: nearest: predict" in done.said


def test_the_command_prints_the_schema(cli):
    assert json.loads(cli("schema", "record").out) == azeotrope.schema("record")
