"""The list of ASVS requirements is whole, and everything it names is there."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([\d.]+) \| ([^|]+) \| (met|n/a|not met) \| ([^|]+) \|$", re.MULTILINE)
# Requirements of levels 1 and 2, by section, without those that are deleted or of level 3 alone.
ASKED = {
    "1.1": "1-7", "1.2": "1-4", "1.4": "1 4 5", "1.5": "1-4", "1.6": "1-4", "1.7": "1-2",
    "1.8": "1-2", "1.9": "1-2", "1.10": "1", "1.11": "1-2", "1.12": "2", "1.14": "1-6",
    "2.1": "1-12", "2.2": "1-3", "2.3": "1-3", "2.4": "1-6", "2.5": "1-7", "2.6": "1-3",
    "2.7": "1-6", "2.8": "1-7", "2.9": "1-3", "2.10": "1-4", "3.1": "1", "3.2": "1-4",
    "3.3": "1-4", "3.4": "1-5", "3.5": "1-3", "3.7": "1", "4.1": "1-3 5", "4.2": "1-2",
    "4.3": "1-3", "5.1": "1-5", "5.2": "1-8", "5.3": "1-10", "5.4": "1-3", "5.5": "1-4",
    "6.1": "1-3", "6.2": "1-6", "6.3": "1-2", "6.4": "1-2", "7.1": "1-4", "7.2": "1-2",
    "7.3": "1 3 4", "7.4": "1-3", "8.1": "1-4", "8.2": "1-3", "8.3": "1-8", "9.1": "1-3",
    "9.2": "1-4", "10.2": "1-2", "10.3": "1-3", "11.1": "1-8", "12.1": "1-3", "12.2": "1",
    "12.3": "1-6", "12.4": "1-2", "12.5": "1-2", "12.6": "1", "13.1": "1 3-5", "13.2": "1-3 5-6",
    "13.3": "1-2", "13.4": "1-2", "14.1": "1-4", "14.2": "1-6", "14.3": "2-3", "14.4": "1-7",
    "14.5": "1-4",
}  # fmt: skip
SAID = (ROOT / "docs/asvs.md").read_text()


def _numbers(section: str, parts: str) -> list[str]:
    found = []
    for part in parts.split():
        first, _, last = part.partition("-")
        found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def test_every_requirement_has_its_line_and_no_other_is_there() -> None:
    asked = [number for section, parts in ASKED.items() for number in _numbers(section, parts)]
    assert [row[0] for row in ROW.findall(SAID)] == asked


def test_every_test_file_and_module_that_it_names_is_there() -> None:
    written = [path.read_text() for path in (ROOT / "tests").rglob("*.py")]
    known = {name for text in written for name in re.findall(r"def (test_\w+)", text)}
    assert set(re.findall(r"`(test_\w+)`", SAID)) - known == set()
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]+|\w+\.(?:md|toml|yml|txt|json)|Dockerfile)`", SAID)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_what_is_not_met_says_what_is_missing() -> None:
    rows = ROW.findall(SAID)
    assert all(len(shown.split()) > 4 for _, _, state, shown in rows if state == "not met")
    assert all(shown.strip() for *_, shown in rows)
    assert set(Counter(state for _, _, state, _ in rows)) == {"met", "n/a", "not met"}
