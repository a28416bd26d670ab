"""Critical results hold the signature up, and stand in the report with the calls about them."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.exceptions import DomainError, EditConflict, GuardFailed
from classifier.models import Case, Correction
from classifier.services import reviews
from reports.content import ReportContent
from reports.drafting import draft_report
from reports.models import Report
from reports.pdf import render_pdf
from reports.services.sign_off import sign_off_case
from reports.tabular import render_csv
from tests.criticals import Call
from tests.reports.conftest import Sign, intent_for, proof_of
from tests.reports.contents import make_content

FEW = ["lymphocyte"] * 9 + ["neutrophil"]
Correct = Callable[..., object]


@pytest.fixture
def critical_case(counted_case: Callable[..., Case]) -> Case:
    return counted_case("4.0", FEW, in_review=True)


def test_nobody_signs_before_the_call(critical_case: Case, sign: Sign, call: Call) -> None:
    with pytest.raises(GuardFailed, match=r"not told yet: Neutrophil 0\.40"):
        sign(critical_case)
    call(critical_case)
    assert sign(critical_case).version == 1


def test_the_signing_page_says_so_before_the_password(
    critical_case: Case, client_for: Callable[[User], Client], pathologist: User
) -> None:
    client = client_for(pathologist)
    page = client.get(reverse("reports:sign_off", args=[critical_case.pk])).content.decode()
    assert "A critical result was not told yet" in page


def test_a_call_after_the_preview_is_read_before_signing(
    critical_case: Case, pathologist: User, call: Call
) -> None:
    intent = intent_for(critical_case)
    call(critical_case)
    with pytest.raises(EditConflict):
        sign_off_case(
            case_id=critical_case.pk,
            actor=pathologist,
            intent=intent,
            reauthentication=proof_of(pathologist),
        )


def test_the_report_tells_value_limit_and_call(critical_case: Case, sign: Sign, call: Call) -> None:
    call(critical_case)
    said = sign(critical_case).says.critical
    assert said is not None
    (result,), (told,) = said.results, said.calls
    assert (result.analyte.code, str(result.value), result.version) == ("neutrophil", "0.40", 1)
    assert (told.recipient_name, told.outcome.code) == ("Dr. Rossi", "read_back")
    assert told.told == "Neutrophil 0.40 × 10⁹/L"  # noqa: RUF001


def test_rows_carry_the_critical_flag(critical_case: Case) -> None:
    draft = draft_report(critical_case)
    flags = {row.cell_type.code: row.flag.code for row in draft.differential if row.flag}
    assert flags["neutrophil"] == "critical_low"


def test_page_table_and_paper_say_it(critical_case: Case, call: Call) -> None:
    call(critical_case)
    draft = draft_report(critical_case, cell_ids=[])
    text = render_csv(draft).decode("utf-8-sig")
    assert "critical,Neutrophil,neutrophil,0.40,10*9/L" in text
    assert "Dr. Rossi" in text
    assert "Told and read back" in text
    assert render_pdf(draft, {}).startswith(b"%PDF")


def test_a_report_without_critical_results_keeps_its_hash() -> None:
    content = make_content()
    assert "critical" not in content.to_json()
    assert ReportContent.from_json(content.to_json()) == content
    assert replace(content, critical=None).content_sha256 == content.content_sha256


def test_a_corrected_report_says_what_is_critical_now(
    critical_case: Case, sign: Sign, call: Call, correct: Correct, pathologist: User
) -> None:
    call(critical_case)
    sign(critical_case)
    reviews.amend(case_id=critical_case.pk, actor=pathologist, reason="A blast was overlooked.")
    critical_case.refresh_from_db()
    correct(critical_case, [0], "blast")
    with pytest.raises(GuardFailed, match="Blast 1 seen"):
        sign(critical_case)
    call(critical_case)
    amendment = sign(critical_case).says.amendment
    assert amendment is not None
    changes = {change.item: change.new for change in amendment.changes}
    assert "Blast 1 seen; any such cell (version 1, not approved)" in changes["Critical results"]
    assert changes["Calls about critical results"].count("Told and read back") == 2


@pytest.mark.django_db(transaction=True)
def test_a_blast_named_while_signing_is_never_signed_untold(
    critical_case: Case, sign: Sign, call: Call, correct: Correct
) -> None:
    call(critical_case)
    outcomes: list[object] = []

    def run(step: Callable[[], object]) -> None:
        try:
            outcomes.append(step())
        except DomainError as refusal:
            outcomes.append(refusal)
        finally:
            connection.close()

    steps = (lambda: sign(critical_case), lambda: correct(critical_case, [0], "blast"))
    threads = [threading.Thread(target=run, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    named = Correction.objects.filter(cell_type="blast").exists()
    assert named != Report.objects.exists()
    assert sum(isinstance(outcome, DomainError) for outcome in outcomes) == 1
