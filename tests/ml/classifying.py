"""Run `manage.py classify` as a person does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

Line = dict[str, Any]


def run(*arguments: object, code: int = 0) -> list[Line]:
    """Run with --json; check the exit status, and give the parsed lines."""
    return [json.loads(line) for line in run_as_text("--json", *arguments, code=code).splitlines()]


def run_as_text(*arguments: object, code: int = 0) -> str:
    """Run; check the exit status, and give what was printed."""
    out = io.StringIO()
    words = [str(argument) for argument in arguments]
    if code:
        with pytest.raises(SystemExit) as caught:
            call_command("classify", *words, stdout=out)
        assert caught.value.code == code
    else:
        call_command("classify", *words, stdout=out)
    return out.getvalue()
