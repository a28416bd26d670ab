"""What the product is made of is written as CycloneDX, whole and valid."""

import json
import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.bill_of_materials import bill_of_materials

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def text() -> str:
    return bill_of_materials()


def test_it_is_valid(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_every_locked_package_is_there_with_its_hashes(text: str) -> None:
    components = json.loads(text)["components"]
    lock = (ROOT / "requirements.txt").read_text()
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)
    served = json.loads((ROOT / "package.json").read_text())["dependencies"].items()
    written = {
        ("/".join(filter(None, (one.get("group"), one["name"]))), one["version"])
        for one in components
    }
    assert written >= {*locked, *served}
    assert all(one["hashes"] for one in components)
    assert "axe-core" not in text, "a tool of development is no part of the product"
