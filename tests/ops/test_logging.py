"""Logs name records by id, and no one by name."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.conf import settings

from hematovision.logging import logging_config

Lines = Callable[[], list[dict[str, str]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Log as production does; return how to read the lines written so far."""
    stream = io.StringIO()
    whole = logging_config(level="INFO", as_json=True, routine_tasks=["tests.tend"])
    whole["handlers"]["console"]["stream"] = stream
    logging.config.dictConfig(whole)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.config.dictConfig(settings.LOGGING)


def test_values_under_personal_keys_are_removed(lines: Lines) -> None:
    structlog.get_logger("tests.ops").info("registered", patient_id="7f", mrn="4711")
    assert lines()[0]["mrn"] == "[removed]"
    assert lines()[0]["patient_id"] == "7f"


def test_what_was_searched_for_is_removed(lines: Lines) -> None:
    structlog.get_logger("tests.ops").info("request_finished", request="GET /patients/?q=Kowalska")
    assert lines()[0]["request"] == "GET /patients/?[removed]"


@pytest.mark.parametrize(
    "refusal",
    [
        "duplicate key value\nDETAIL:  Key (issuer, mrn)=(CITY, 4711) already exists.",
        "violates check constraint\nDETAIL:  Failing row contains (7f, 4711, Kowalska, null).",
    ],
)
def test_rows_that_postgresql_quotes_are_removed(lines: Lines, refusal: str) -> None:
    try:
        raise ValueError(refusal)
    except ValueError:
        logging.getLogger("tests.ops").exception("refused: %s", refusal)
    (line,) = lines()
    assert "[removed]" in line["event"]
    assert "4711" not in json.dumps(line)


def test_a_line_break_makes_no_second_line(lines: Lines) -> None:
    forged = '4711\n{"event": "signed", "level": "info"}\r\n\u2028x'
    structlog.get_logger("tests.ops").warning("refused", request=forged)
    logging.getLogger("tests.ops").warning("refused: %s", forged)
    assert len(lines()) == 2


def test_routine_leaves_no_line_unless_it_fails(lines: Lines) -> None:
    logger = structlog.get_logger("tests.ops")
    logger.info("request_finished", request="GET /health/ready", code=200)
    logger.error("request_finished", request="GET /health/ready", code=500)
    logging.getLogger("celery.app.trace").info("Task tests.tend[7f] succeeded")
    logging.getLogger("celery.app.trace").error("Task tests.tend[7f] raised")
    logging.getLogger("celery.app.trace").info("Task tests.other[7f] succeeded")
    assert [line["level"] for line in lines()] == ["error", "error", "info"]
