"""Every defence of the threat model names a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_it_names_is_there() -> None:
    said = (ROOT / "docs/threat-model.md").read_text()
    functions = set(re.findall(r"`(test_\w+)`", said))
    files = re.findall(r"`(tests/[\w./]+|test_\w+\.py)`", said)
    written = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    known = {name for text in written.values() for name in re.findall(r"def (test_\w+)", text)}
    assert len(functions) > 30
    assert functions - known == set()
    assert [
        name for name in files
        if not (ROOT / name).exists() and name not in {path.name for path in written}
    ] == []  # fmt: skip
