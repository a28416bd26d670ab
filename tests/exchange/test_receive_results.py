"""Results of analysers, and how they come to their cases."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import Analyte, CaseStatus
from classifier.models import AnalyserResult, Case, CriticalAlert
from classifier.selectors.analyser import current_results, list_late_results, list_results
from classifier.services.analyser import add_results
from exchange.enums import IncomingOutcome, Protocol
from exchange.measurements import convert
from exchange.models import AnalyteCode, IncomingMessage, Sender
from exchange.refusals import Refusal
from exchange.services.keeping import Arrival
from exchange.services.receiving_astm import receive_astm
from notifications.models import Notice
from tests.exchange.incoming import Send, code_of
from tests.exchange.messages import astm, oml, oru

pytestmark = pytest.mark.usefixtures("analyser")


def values(case: Case) -> dict[str, Decimal]:
    """Return the values that a case uses."""
    return {name: item.value for name, item in current_results(list_results(case)).items()}


def test_brings_white_count_platelets_and_nucleated_red_cells(case: Case, send: Send) -> None:
    assert code_of(send(oru(case.accession_number))) == "AA"
    case.refresh_from_db()
    assert values(case) == {
        "wbc": Decimal("7.25"), "platelets": Decimal("250.00"), "nrbc_per_100": Decimal("1.50"),
    }  # fmt: skip
    assert (case.wbc_count, case.wbc_excludes_erythroblasts) == (Decimal("7.25"), False)
    result = case.analyser_results.get(analyte="wbc")
    assert (result.source, result.flags, result.sent_unit) == ("Analyser 1 SN123", "H", "10*3/uL")
    assert case.wbc_measured_at == result.measured_at
    event = AuditEvent.objects.get(action="case.results_added")
    assert event.actor == User.system()


def test_the_same_message_again_adds_nothing(case: Case, send: Send) -> None:
    first = send(oru(case.accession_number))
    assert str(send(oru(case.accession_number))) == str(first)
    assert AnalyserResult.objects.count() == 3


def test_keeps_every_value_and_uses_the_latest_measured(case: Case, send: Send) -> None:
    send(oru(case.accession_number, hours_ago=1))
    newer = oru(case.accession_number, control_id="2", hours_ago=0.2).replace(b"7.25", b"8.11")
    send(newer)
    send(oru(case.accession_number, control_id="3", hours_ago=2).replace(b"7.25", b"6.66"))
    case.refresh_from_db()
    assert case.wbc_count == Decimal("8.11")
    assert case.analyser_results.filter(analyte="wbc").count() == 3


def test_a_corrected_value_of_the_same_moment_replaces(case: Case, send: Send) -> None:
    send(oru(case.accession_number))
    send(oru(case.accession_number, control_id="2", status="C").replace(b"7.25", b"9.99"))
    case.refresh_from_db()
    assert case.wbc_count == Decimal("9.99")
    assert current_results(list_results(case))["wbc"].status == "corrected"


def test_preliminary_values_are_kept_and_not_used(case: Case, send: Send) -> None:
    send(oru(case.accession_number, status="P"))
    case.refresh_from_db()
    assert case.wbc_count is None
    assert case.analyser_results.count() == 3


def test_a_count_typed_in_later_stays(case: Case, send: Send) -> None:
    Case.objects.update(wbc_count=Decimal("4.00"), wbc_measured_at=timezone.now())
    send(oru(case.accession_number))
    case.refresh_from_db()
    assert case.wbc_count == Decimal("4.00")


def test_values_are_never_changed_or_removed(case: Case, send: Send) -> None:
    send(oru(case.accession_number))
    for act in (
        lambda: AnalyserResult.objects.update(value=1),
        lambda: AnalyserResult.objects.all().delete(),
    ):
        with pytest.raises(Exception, match="Cannot"), transaction.atomic():
            act()


def test_after_signing_the_case_stays_and_the_value_waits_for_a_reviewer(
    case: Case, send: Send, pathologist: User
) -> None:
    signed = timezone.now() - timedelta(minutes=1)
    Case.objects.update(status=CaseStatus.SIGNED_OFF, signed_at=signed, signed_by=pathologist)
    assert code_of(send(oru(case.accession_number))) == "AA"
    case.refresh_from_db()
    assert case.wbc_count is None
    late = list_late_results(list_results(case))
    assert {item.analyte for item in late} == {"wbc", "platelets", "nrbc_per_100"}
    assert Notice.objects.get(kind="case.late_results").recipient == pathologist


def test_a_critical_white_count_raises_its_alert(
    send: Send, counted_case: Callable[..., Case]
) -> None:
    case = counted_case("7.0", ["neutrophil"] * 10, in_review=True)
    Case.objects.update(wbc_measured_at=timezone.now() - timedelta(days=1))
    send(oru(case.accession_number).replace(b"7.25", b"99"))
    assert CriticalAlert.objects.filter(case=case, closed_at=None).exists()


@pytest.mark.parametrize("suffix", ["", "-1", "-12"])
def test_finds_the_case_by_accession_and_slide_number(case: Case, send: Send, suffix: str) -> None:
    send(oru(case.accession_number.lower() + suffix))
    assert case.analyser_results.exists()


def test_finds_the_case_by_the_placer_order_number(send: Send, hospital: Sender) -> None:
    send(oml(placer="ORD77"))
    send(oru("ORD77"))
    assert Case.objects.get().wbc_count == Decimal("7.25")


def test_an_unknown_specimen_waits_for_a_person(case: Case, send: Send) -> None:
    assert code_of(send(oru("HV99-999999X"))) == "AA"
    row = IncomingMessage.objects.get()
    assert (row.outcome, row.explanation) == (
        IncomingOutcome.PARKED, "No case was found for 1 of 1 specimens.",
    )  # fmt: skip
    assert not AnalyserResult.objects.exists()


def test_a_specimen_that_names_another_patient_waits_for_a_person(
    case: Case, send: Send, hospital: Sender
) -> None:
    send(oml())
    send(oru(case.accession_number, mrn="MRN00777"))
    assert IncomingMessage.objects.waiting().count() == 1
    send(oru(case.accession_number, mrn=case.patient.mrn, control_id="2"))
    assert case.analyser_results.count() == 3


@pytest.mark.parametrize(
    ("wbc", "status", "code"),
    [
        ("NM|6690-2^L^LN||7.25|mg/dL", "F", "103"),
        ("NM|6690-2^L^LN||7.25|%", "F", "103"),
        ("NM|6690-2^L^LN||-7.25|10*9/L", "F", "102"),
        ("NM|6690-2^L^LN||72500|10*9/L", "F", "102"),
        ("NM|6690-2^L^LN||7.25|10*9/L", "Z", "103"),
    ],
)
def test_one_value_that_cannot_be_refuses_all(
    case: Case, send: Send, wbc: str, status: str, code: str
) -> None:
    reply = send(oru(case.accession_number, wbc=wbc, status=status))
    assert code_of(reply) == "AE"
    assert str(reply["ERR"][0][3]).startswith(code)
    assert not AnalyserResult.objects.exists()
    assert IncomingMessage.objects.get().outcome == IncomingOutcome.REFUSED


def test_a_result_of_the_future_is_refused(case: Case, send: Send) -> None:
    assert code_of(send(oru(case.accession_number, hours_ago=-2))) == "AE"


def test_what_an_analyser_could_not_measure_is_noted(case: Case, send: Send) -> None:
    send(oru(case.accession_number, wbc="NM|6690-2^L^LN||----|10*9/L"))
    assert IncomingMessage.objects.get().notes[0] == "Leukocytes (WBC): no number was sent."
    assert "wbc" not in values(case)


def test_an_analyser_sends_no_orders_and_a_hospital_no_results(
    case: Case, send: Send, hospital: Sender
) -> None:
    assert code_of(send(oml().replace(b"|ORDERS|", b"|XN|"))) == "AR"
    data = oru(case.accession_number).replace(b"|XN|GENHOSP|", b"|ORDERS|GENHOSP|")
    assert code_of(send(data)) == "AR"


def test_the_laboratorys_own_code_wins(case: Case, send: Send, analyser: Sender) -> None:
    AnalyteCode.objects.create(
        sender=analyser, code="6690-2", analyte=Analyte.PLATELETS, factor=Decimal(10),
        approved_at=timezone.now(),
    )  # fmt: skip
    AnalyteCode.objects.create(
        sender=analyser, code="x-1", analyte=Analyte.LEUKOCYTES, approved_at=timezone.now()
    )
    data = oru(case.accession_number).replace(b"777-3", b"X-1")
    send(data)
    assert values(case)["platelets"] == Decimal("72.50")
    assert values(case)["wbc"] == Decimal("250.00")


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [
        ("7.2", "10*9/L", "7.20"), ("7.2", "10^3/µL", "7.20"), ("7.2", " K/uL", "7.20"),
        ("7205", "/uL", "7.21"), ("72", "10*2/uL", "7.20"), ("31", "10*4/uL", "310.00"),
    ],
)  # fmt: skip
def test_converts_units(number: str, unit: str, expected: str) -> None:
    found = convert(Decimal(number), unit, Analyte.LEUKOCYTES, Decimal(1), "")
    assert found == Decimal(expected)


def test_refuses_units_of_another_kind() -> None:
    with pytest.raises(Refusal):
        convert(Decimal(1), "/100{WBCs}", Analyte.PLATELETS, Decimal(1), "R^1^5")


def test_brings_results_of_astm_records(case: Case, astm_analyser: Sender) -> None:
    receive_astm(Arrival(astm(case.accession_number), [astm_analyser]))
    case.refresh_from_db()
    assert values(case) == {
        "wbc": Decimal("5.80"), "platelets": Decimal("310.00"), "nrbc_per_100": Decimal("0.40"),
    }  # fmt: skip
    assert case.wbc_excludes_erythroblasts
    row = IncomingMessage.objects.get()
    assert (row.protocol, row.outcome) == (Protocol.ASTM, IncomingOutcome.ACCEPTED)
    assert "Nucleated red cells: no number was sent." in row.notes
    receive_astm(Arrival(astm(case.accession_number), [astm_analyser]))
    assert IncomingMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("H|", "X|", "header record"),
        ("L|1|N\r", "", "terminator"),
        ("O|1|", "M|1|", "before any order"),
        ("10*3/uL", "mg/dL", "unit"),
        ("\\^&", "^^&", "delimiters"),
    ],
)
def test_keeps_astm_messages_that_cannot_be_used_as_refused(
    case: Case, astm_analyser: Sender, old: str, new: str, words: str
) -> None:
    data = astm(case.accession_number).decode().replace(old, new, 1).encode()
    receive_astm(Arrival(data, [astm_analyser]))
    row = IncomingMessage.objects.get()
    assert row.outcome == IncomingOutcome.REFUSED
    assert words in row.explanation
    assert not AnalyserResult.objects.exists()


def test_people_without_the_duty_bring_no_results(case: Case, pathologist: User) -> None:
    from classifier.exceptions import NotPermitted

    with pytest.raises(NotPermitted):
        add_results(case_id=case.pk, actor=pathologist, source="x", message_id=case.pk, results=[])
