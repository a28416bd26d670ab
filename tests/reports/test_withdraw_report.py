"""Withdrawing a report that was entered in error: two people, every version kept."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case
from classifier.services import reviews
from reports.enums import ReportStatus
from reports.models import Report, WithdrawalRequest
from reports.services.reading import read_pdf
from reports.services.reauthentication import VALID_FOR
from reports.services.withdrawing import (
    Declaration,
    confirm_withdrawal,
    decline_withdrawal,
    request_withdrawal,
)
from tests.factories import PASSWORD, UserFactory
from tests.reports.conftest import Sign, proof_of
from tests.reviewing import MakeCase

pytestmark = pytest.mark.usefixtures("empty_cache")
WHY = "The blood was that of another patient."
ClientFor = Callable[[User], Client]
Ask = Callable[..., WithdrawalRequest]


@pytest.fixture
def ask(pathologist: User) -> Ask:
    """Ask for the withdrawal of a report."""

    def ask_now(report: Report, actor: User | None = None, **changed: object) -> WithdrawalRequest:
        person = actor or pathologist
        values = {"request_id": uuid.uuid4(), "report_id": report.pk, "reason": WHY} | changed
        return request_withdrawal(
            actor=person,
            declaration=Declaration(**values),  # type: ignore[arg-type]
            reauthentication=proof_of(person),
        )

    return ask_now


def confirm(asked: WithdrawalRequest, actor: User) -> Report:
    return confirm_withdrawal(request_id=asked.pk, actor=actor, reauthentication=proof_of(actor))


@pytest.fixture
def report(ready_case: Case, sign: Sign) -> Report:
    return sign(ready_case)


def test_asking_changes_nothing_yet(report: Report, ask: Ask, pathologist: User) -> None:
    asked = ask(report)

    report.case.refresh_from_db()
    assert report.case.status == CaseStatus.SIGNED_OFF
    assert list(Report.objects.standing()) == [report]
    assert (asked.requester, asked.reason) == ("Paul Pathologist, MD", WHY)
    event = AuditEvent.objects.get(action="report.withdrawal_requested")
    assert (event.actor, event.reason) == (pathologist, WHY)


def test_confirming_issues_a_version_that_says_so_and_ends_the_case(
    report: Report, ask: Ask, administrator: User, pathologist: User
) -> None:
    withdrawn = confirm(ask(report), administrator)

    report.case.refresh_from_db()
    content = withdrawn.says
    assert report.case.status == CaseStatus.ENTERED_IN_ERROR
    assert (withdrawn.version, withdrawn.status) == (2, ReportStatus.ENTERED_IN_ERROR)
    assert (withdrawn.supersedes, withdrawn.reason) == (report, WHY)
    assert content.withdrawal is not None
    assert content.withdrawal.requested_by == "Paul Pathologist, MD"
    assert content.withdrawal.confirmed_by == administrator.name_with_title
    assert content.signature is not None
    assert content.signature.meaning.code == "withdrawal"
    assert withdrawn.sign_off.signer == pathologist
    assert withdrawn.issued_at == content.withdrawal.confirmed_at
    assert content.differential == report.says.differential
    assert not Report.objects.standing().exists()
    assert read_pdf(withdrawn, actor=administrator).startswith(b"%PDF")


def test_the_withdrawn_version_stays_byte_for_byte(
    report: Report, ask: Ask, administrator: User
) -> None:
    data = read_pdf(report, actor=administrator)
    confirm(ask(report), administrator)

    assert read_pdf(Report.objects.get(pk=report.pk), actor=administrator) == data


def test_the_same_request_and_the_same_confirmation_twice_make_one(
    report: Report, ask: Ask, administrator: User
) -> None:
    key = uuid.uuid4()
    asked = [ask(report, request_id=key) for _ in range(2)]
    made = [confirm(asked[0], administrator) for _ in range(2)]

    assert asked[0] == asked[1]
    assert made[0] == made[1]
    assert Report.objects.count() == 2


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PATHOLOGIST])
def test_only_pathologists_ask(report: Report, ask: Ask, role: Role) -> None:
    with pytest.raises(NotPermitted):
        ask(report, UserFactory.create(role=role))


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_only_administrators_confirm(report: Report, ask: Ask, role: Role) -> None:
    with pytest.raises(NotPermitted):
        confirm(ask(report), UserFactory.create(role=role))
    assert Report.objects.count() == 1


def test_nobody_confirms_their_own_request(
    report: Report, ask: Ask, pathologist: User, administrator: User
) -> None:
    asked = ask(report)
    pathologist.groups.add(*administrator.groups.all())
    person = User.objects.get(pk=pathologist.pk)

    with pytest.raises(NotPermitted):
        confirm(asked, person)
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        WithdrawalRequest.objects.filter(pk=asked.pk).update(
            decided_by=person, decided_at=asked.requested_at, is_confirmed=True
        )


def test_an_old_password_doesnt_confirm(report: Report, ask: Ask, administrator: User) -> None:
    asked, proof = ask(report), proof_of(administrator)
    old = type(proof)(proof.user_id, proof.method, proof.at - VALID_FOR - timedelta(seconds=1))

    with pytest.raises(NotPermitted, match="password"):
        confirm_withdrawal(request_id=asked.pk, actor=administrator, reauthentication=old)


def test_no_reason_no_request(report: Report, ask: Ask) -> None:
    with pytest.raises(GuardFailed, match="reason"):
        ask(report, reason="  ")


def test_one_request_at_a_time(report: Report, ask: Ask, administrator: User) -> None:
    first = ask(report)
    with pytest.raises(GuardFailed, match="asked for already"):
        ask(report)
    decline_withdrawal(request_id=first.pk, actor=administrator, reason="It is right.")

    assert ask(report).decided_at is None


def test_a_declined_request_leaves_the_report_standing(
    report: Report, ask: Ask, administrator: User
) -> None:
    asked = ask(report)
    decline_withdrawal(request_id=asked.pk, actor=administrator, reason="It is right.")

    assert list(Report.objects.standing()) == [report]
    with pytest.raises(GuardFailed, match="decided already"):
        confirm(asked, administrator)
    with pytest.raises(GuardFailed, match="decided already"):
        decline_withdrawal(request_id=asked.pk, actor=administrator, reason="Again.")
    assert AuditEvent.objects.get(action="report.withdrawal_declined").reason == "It is right."


def test_who_asked_may_take_it_back_and_a_stranger_may_not(
    report: Report, ask: Ask, pathologist: User
) -> None:
    asked = ask(report)
    with pytest.raises(NotPermitted):
        decline_withdrawal(
            request_id=asked.pk, actor=UserFactory.create(role=Role.PATHOLOGIST), reason="No."
        )
    decline_withdrawal(request_id=asked.pk, actor=pathologist, reason="Asked by mistake.")

    asked.refresh_from_db()
    assert asked.is_confirmed is False


def test_an_amendment_comes_first(
    report: Report, ask: Ask, pathologist: User, administrator: User, sign: Sign,
    correct: Callable[..., object],
) -> None:  # fmt: skip
    asked = ask(report)
    reviews.amend(case_id=report.case_id, actor=pathologist, reason="Misread.")
    with pytest.raises(GuardFailed, match="being amended"):
        ask(report)
    with pytest.raises(TransitionRefused):
        confirm(asked, administrator)
    correct(report.case, [0], "plasma_cell")
    second = sign(report.case)

    with pytest.raises(GuardFailed, match="amended since"):
        confirm(asked, administrator)
    with pytest.raises(GuardFailed, match="version that stands"):
        ask(report)
    assert confirm(ask(second), administrator).version == 3


def test_an_interim_report_is_not_withdrawn_but_replaced(
    classified_case: MakeCase, ask: Ask
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    interim = Report.objects.create(
        case=case, version=1, status=ReportStatus.PRELIMINARY, content={},
        content_sha256="0" * 64, pdf_sha256="0" * 64, issued_at=case.registered_at,
    )  # fmt: skip

    with pytest.raises(GuardFailed, match="version that stands"):
        ask(interim)


def test_what_was_asked_and_decided_is_never_edited(
    report: Report, ask: Ask, administrator: User
) -> None:
    asked = ask(report)
    with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
        WithdrawalRequest.objects.filter(pk=asked.pk).update(reason="Another.")
    confirm(asked, administrator)
    with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
        WithdrawalRequest.objects.filter(pk=asked.pk).update(is_confirmed=False)
    with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
        WithdrawalRequest.objects.filter(pk=asked.pk).delete()


class TestPages:
    def test_two_people_withdraw_a_report(
        self, report: Report, pathologist: User, administrator: User, client_for: ClientFor
    ) -> None:
        asking, confirming = client_for(pathologist), client_for(administrator)
        url = reverse("reports:report_withdraw", args=[report.pk])
        key = re.search(r'name="request_id" value="([^"]+)"', asking.get(url).content.decode())
        assert key
        form = {"request_id": key[1], "reason": WHY}

        assert asking.post(url, form | {"password": "wrong"}).status_code == 422
        asking.post(url, form | {"password": PASSWORD})
        asked = WithdrawalRequest.objects.get()
        listed = confirming.get(reverse("report_administration:withdrawals")).content.decode()
        assert "To be decided" in listed
        decision = reverse("report_administration:withdrawal", args=[asked.pk])
        assert confirming.get(decision).status_code == 200
        assert confirming.post(decision, {"decision": "confirm"}).status_code == 422
        response = confirming.post(
            decision, {"decision": "confirm", "password": PASSWORD}, follow=True
        )

        assert "ENTERED IN ERROR: this report is withdrawn" in response.content.decode()
        old = confirming.get(report.get_absolute_url()).content.decode()
        assert "<strong>ENTERED IN ERROR.</strong>" in old
        assert WHY in old
        case_page = confirming.get(report.case.get_absolute_url()).content.decode()
        assert "Report entered in error" in case_page

    def test_the_public_page_says_so_too(
        self, report: Report, ask: Ask, administrator: User, client: Client
    ) -> None:
        confirm(ask(report), administrator)

        page = client.get(reverse("verification:report", args=[report.verification_code]))

        assert "<strong>Entered in error.</strong>" in page.content.decode()
