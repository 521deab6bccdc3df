"""What `--json` prints is held against its schema, to the last key."""

import jsonschema

import azeotrope


def check_document(arguments, document):
    """Raises where the document has another key, or another value, than the schema of this command allows."""
    name = arguments[0]
    if name == "sweep":
        name += ("-tasks" if "tasks" in document else "") + ("-dry-run" if "--dry-run" in arguments else "")
    jsonschema.validate(document, without_other_keys(azeotrope.schema(name)))


def without_other_keys(schema):
    """The same schema, which also refuses what it does not name: new keys are allowed to users, not to us."""
    if isinstance(schema, list):
        return [without_other_keys(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: without_other_keys(value) for key, value in schema.items()}
    return (
        {"additionalProperties": False, **inner} if inner.get("type") == "object" and "properties" in inner else inner
    )
