"""The documentation says what the table of versions says."""

from pathlib import Path

from django.conf import settings

from reports.enums import MAY_FOLLOW


def test_the_documented_table_of_versions_is_the_code_s() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "reports.md").read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    written = {cells[0].split()[0]: cells[2].strip() for cells in rows if len(cells) == 3}

    for status, others in MAY_FOLLOW.items():
        expected = ", ".join(other.value for other in others) or "nothing"
        assert written[status.value] == expected
