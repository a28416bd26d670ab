"""Strict validation: whatever a report can say passes, and each kind of error is found."""

import pytest

from exchange.validation import InvalidMessage, validate
from reports.hl7 import render_oru
from tests.reports.contents import make_content, make_signature
from tests.reports.messages import ENVELOPE, PDF, STATUSES, make_full


@pytest.mark.parametrize("status", STATUSES)
def test_every_kind_of_report_is_valid(status: str) -> None:
    validate(render_oru(make_full(status), PDF * 200, ENVELOPE))


def test_a_plain_report_is_valid() -> None:
    content = make_content(white_count=None, interpretation="").signed(make_signature())
    validate(render_oru(content, None, ENVELOPE))


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("||HM|F|", "||HM|Q|", "Warning: Value not in table HL70123"),
        ("|H|||F|||", "|HOT|||F|||", "not in table HL70078"),
        ("UCUM", "UCUMM", "not in table HL70396"),
        ("||10.79|", "||about 10|", "the value is no NM"),
        ("|ED|", "|XX|", "the value is no XX"),
        ("Base64^", "Base64^*", "base64"),
        ("SPM|1|", "NK1|1|", "segment 58, NK1"),
        ("69738-3^Differential panel, method unspecified - Blood^LN", "", "OBR.OBR_4"),
        ("20261120073000+0000", "yesterday", "segment 4, OBR"),
    ],
)
def test_each_kind_of_error_is_found(right: str, wrong: str, problem: str) -> None:
    message = render_oru(make_full(), PDF, ENVELOPE)
    assert right in message
    with pytest.raises(InvalidMessage, match=problem.replace(".", r"\.")):
        validate(message.replace(right, wrong, 1))


def test_what_is_wrong_is_told_without_the_patients_data() -> None:
    message = render_oru(make_full(), PDF, ENVELOPE).replace("|19570614|M", "|19570614|Varga")
    with pytest.raises(InvalidMessage) as raised:
        validate(message)
    assert "HL70001" in str(raised.value)
    assert "Varga" not in str(raised.value)
