"""The committed description is what the code says."""

import json
from io import StringIO

from django.core.management import call_command
from jsonschema import Draft202012Validator

from api.description import SCHEMA_FILE


def test_the_committed_description_is_current() -> None:
    out = StringIO()
    call_command("spectacular", format="openapi-json", validate=True, fail_on_warn=True, stdout=out)
    generated = json.loads(out.getvalue())
    assert generated == json.loads(SCHEMA_FILE.read_text()), (
        "run: manage.py spectacular --format openapi-json --file api/openapi.json"
    )


def test_it_is_openapi_3_1() -> None:
    assert json.loads(SCHEMA_FILE.read_text())["openapi"].startswith("3.1.")


def test_every_operation_names_its_scope_and_refusals() -> None:
    for path, methods in json.loads(SCHEMA_FILE.read_text())["paths"].items():
        for method, operation in methods.items():
            assert {"401", "429"} <= set(operation["responses"]), path
            if path != "/api/v1/token":
                assert "Scope: `" in operation["description"], (method, path)


def test_every_example_could_be_sent() -> None:
    told = json.loads(SCHEMA_FILE.read_text())
    tried = 0
    for path, methods in told["paths"].items():
        for operation in methods.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                for example in body.get("examples", {}).values():
                    schema = body["schema"] | {"components": told["components"]}
                    errors = list(Draft202012Validator(schema).iter_errors(example["value"]))
                    assert not errors, (path, errors)
                    tried += 1
    assert tried > 1
