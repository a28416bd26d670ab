"""What a receiver in another process has written down so far."""

import json
from pathlib import Path
from typing import Any


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the entries that are written to the end; the last one may be on its way."""
    *entries, _unfinished = path.read_text().split("\n")
    return [json.loads(entry) for entry in entries]
