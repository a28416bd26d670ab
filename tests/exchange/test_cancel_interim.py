"""Interim reports: who releases one, and how it is withdrawn when its case ends."""

from collections.abc import Callable

import hl7
import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from classifier.services import reviews
from classifier.services.transitions import transition
from exchange.services.writing import write_missing
from notifications.models import Notice
from reports.drafting import draft_report
from reports.enums import Issue, ReauthenticationMethod, ReportStatus, SignatureMeaning
from reports.fhir.bundles import make_transaction
from reports.fhir.report import make_report
from reports.fhir.results import make_results
from reports.models import Report
from reports.services.cancelling import cancel_interims
from reports.services.fhir import read_signed
from reports.services.reading import read_pdf
from reports.services.sign_off import Intent, sign_off_case
from reports.verification import spell
from tests.exchange.conftest import MakePeer
from tests.factories import UserFactory
from tests.pages import words_of
from tests.reports.conftest import proof_of, ready_case
from tests.reports.fhir_sources import faults_of
from tests.reports.pages import ClientFor, address
from tests.reviewing import MakeCase

__all__ = ["ready_case"]

WHY = "Specimen mixed up."


def release_interim(case: Case, actor: User) -> Report:
    fresh = Case.objects.get(pk=case.pk)
    draft = draft_report(fresh, issue=Issue.INTERIM)
    return sign_off_case(
        case_id=case.pk,
        actor=actor,
        intent=Intent(SignatureMeaning.REVIEW, draft.draft_sha256, None, Issue.INTERIM),
        reauthentication=proof_of(actor),
    )


@pytest.fixture
def waiting_case(ready_case: Case, pathologist: User) -> Case:
    """A case that its reviewer gave back to the worklist."""
    reviews.release(case_id=ready_case.pk, actor=pathologist)
    return Case.objects.get(pk=ready_case.pk)


def test_any_pathologist_releases_one_while_nobody_has_the_case_open(waiting_case: Case) -> None:
    report = release_interim(waiting_case, UserFactory.create(role="pathologist"))
    waiting_case.refresh_from_db()
    assert (report.status, waiting_case.status) == (
        ReportStatus.PRELIMINARY,
        CaseStatus.AWAITING_REVIEW,
    )
    assert AuditEvent.objects.filter(action="case.issue_interim_unopened").count() == 1


def test_the_submitter_and_whoever_does_not_sign_release_none(
    waiting_case: Case, technician: User
) -> None:
    submitter = UserFactory.create(role="pathologist")
    Case.objects.update(submitted_by=submitter)
    for person in (submitter, technician):
        with pytest.raises(NotPermitted):
            release_interim(waiting_case, person)
    assert not Report.objects.exists()


def test_nobody_releases_one_over_the_head_of_who_has_it_open(
    ready_case: Case,
) -> None:
    with pytest.raises(NotPermitted):
        release_interim(ready_case, UserFactory.create(role="pathologist"))


def test_the_signing_page_of_a_waiting_case_offers_an_interim_report_alone(
    waiting_case: Case, pathologist: User, client_for: ClientFor
) -> None:
    response = client_for(pathologist).get(address("sign_off", waiting_case))
    assert response.context["issue"] == Issue.INTERIM
    assert response.context["problems"] == []


@pytest.fixture
def ended(ready_case: Case, pathologist: User) -> Case:
    """A case that was rejected after its interim report went out."""
    release_interim(ready_case, pathologist)
    reviews.reject(case_id=ready_case.pk, actor=pathologist, reason=WHY)
    return Case.objects.get(pk=ready_case.pk)


def test_a_rejected_case_withdraws_its_interim_report_once(ended: Case, pathologist: User) -> None:
    assert (cancel_interims(), cancel_interims()) == (1, 0)
    interim, last = ended.reports.order_by("version")
    assert (last.status, last.reason, last.supersedes) == (ReportStatus.CANCELLED, WHY, interim)
    assert last.says.differential == interim.says.differential
    assert last.sign_off.signer == pathologist
    assert last.sign_off.meaning == SignatureMeaning.CANCELLATION
    assert last.sign_off.reauthenticated_by == ReauthenticationMethod.NONE
    assert read_pdf(last, actor=pathologist).startswith(b"%PDF")
    assert not Report.objects.standing().exists()


def test_a_cancelled_case_does_so_too(
    ready_case: Case,
    pathologist: User,
    technician: User,
) -> None:
    release_interim(ready_case, pathologist)
    reviews.return_to_technician(case_id=ready_case.pk, actor=pathologist, reason="More images.")
    transition(case_id=ready_case.pk, name="cancel", actor=technician, reason=WHY)
    assert cancel_interims() == 1
    last = Report.objects.current().get()
    assert (last.status, last.sign_off.signer) == (ReportStatus.CANCELLED, technician)


def test_without_an_interim_report_nothing_is_issued(
    ready_case: Case,
    pathologist: User,
) -> None:
    reviews.reject(case_id=ready_case.pk, actor=pathologist, reason=WHY)
    assert cancel_interims() == 0
    assert not Report.objects.exists()


def test_ending_a_case_calls_a_worker(
    ready_case: Case,
    pathologist: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    called: list[str] = []
    monkeypatch.setattr("reports.dispatch._publish", called.append)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        reviews.reject(case_id=ready_case.pk, actor=pathologist, reason=WHY)
    assert "reports.tasks.cancel_interims" in called


def test_receivers_hear_it_after_the_interim_report(ended: Case, make_peer: MakePeer) -> None:
    peer = make_peer()
    write_missing(peer)
    cancel_interims()
    write_missing(peer)
    first, second = (
        hl7.parse(bytes(message.body).decode()) for message in peer.messages.order_by("sequence")
    )
    assert (str(first["OBR"][0][25]), str(second["OBR"][0][25])) == ("P", "X")
    assert {str(segment[11]) for segment in second["OBX"]} == {"X"}
    assert str(second["ORC"][0][5]) == "CA"
    assert any("CANCELLED" in str(note[3]) and WHY in str(note[3]) for note in second["NTE"])


def test_resources_are_cancelled(ended: Case, pathologist: User) -> None:
    cancel_interims()
    signed = read_signed(Report.objects.current().get(), actor=pathologist)
    made = make_results(signed)
    report = make_report(signed, made)
    assert report["status"] == "cancelled"
    assert {item["status"] for item in made} == {"cancelled"}
    assert faults_of(report) == []
    kinds = {
        entry["resource"]["resourceType"]: entry for entry in make_transaction(signed)["entry"]
    }
    assert kinds["ServiceRequest"]["resource"]["status"] == "revoked"


def test_those_concerned_are_told_and_the_check_says_so(
    ended: Case, technician: User, client: Client
) -> None:
    Case.objects.update(submitted_by=technician)
    cancel_interims()
    assert Notice.objects.filter(kind="report.corrected", recipient=technician).exists()
    interim = ended.reports.get(version=1)
    page = client.get(f"/verify/{spell(interim.verification_code)}/")
    assert "ended without a result" in words_of(page)


def test_pages_show_it(ended: Case, pathologist: User, client_for: ClientFor) -> None:
    cancel_interims()
    last = Report.objects.current().get()
    page = client_for(pathologist).get(last.get_absolute_url())
    assert "CANCELLED: the interim report is withdrawn" in words_of(page)


def test_a_case_with_referred_cells_has_no_interim_report(
    classified_case: MakeCase, pathologist: User
) -> None:

    case = classified_case(["neutrophil", "unidentified"])
    with pytest.raises(GuardFailed, match="1 referred cell"):
        release_interim(case, pathologist)
