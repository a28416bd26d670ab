"""Opening a restricted record in an emergency: who may, for how long, who hears, who judges."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pgtrigger
import pytest
from django.core import mail
from django.db import DatabaseError, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import audit, readings
from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, EmergencyAccess, Laboratory, Patient
from classifier.services import emergencies
from classifier.services.restrictions import restrict_patient
from notifications.models import Notice
from notifications.services.mailing import mail_notices
from tests.factories import UserFactory
from tests.pages import words_of

SignIn = Callable[[User], Client]


@pytest.fixture
def restricted(administrator: User, case: Case) -> Patient:
    restrict_patient(
        actor=administrator,
        patient_id=case.patient_id,
        restriction_id=uuid.uuid4(),
        kind="staff",
        reason="Works here.",
    )
    return case.patient


def break_glass(actor: User, patient: Patient, **more: Any) -> EmergencyAccess:
    values: dict[str, Any] = {"access_id": uuid.uuid4(), "cause": "treatment", "words": "Bleeding."}
    return emergencies.break_glass(actor=actor, patient_id=patient.pk, **values | more)


def sees(user: User, patient: Patient) -> bool:
    return Patient.objects.visible_to(user).filter(pk=patient.pk).exists()


def let_time_pass(access: EmergencyAccess, past: timedelta) -> None:
    """Move an access back in time, past the trigger that keeps it as it is."""
    with pgtrigger.ignore("classifier.EmergencyAccess:append_only"):
        EmergencyAccess.objects.filter(pk=access.pk).update(
            began_at=F("began_at") - past,
            ends_at=F("ends_at") - past,
            judge_by=F("judge_by") - past,
        )


def test_opens_this_record_to_this_person_for_the_laboratorys_minutes(
    restricted: Patient, pathologist: User, colleague: User
) -> None:
    Laboratory.objects.update_or_create(pk=1, defaults={"emergency_minutes": 20})
    access = break_glass(pathologist, restricted)
    assert access.ends_at - access.began_at == timedelta(minutes=20)
    assert sees(pathologist, restricted)
    assert not sees(colleague, restricted)
    let_time_pass(access, timedelta(minutes=21))
    assert not sees(pathologist, restricted)


def test_who_answers_for_privacy_hears_at_once_by_notice_and_mail_without_identity(
    restricted: Patient, pathologist: User, administrator: User, settings: Settings
) -> None:
    settings.MAIL_IS_CONFIGURED = True
    access = break_glass(pathologist, restricted)
    notice = Notice.objects.get()
    assert (notice.recipient, notice.kind) == (administrator, "emergency.opened")
    assert notice.says is not None
    assert notice.says.address(notice.event) == access.get_absolute_url()
    mail_notices()
    (letter,) = mail.outbox
    assert letter.to == [administrator.email]
    said = f"{letter.subject} {letter.body}"
    assert "in an emergency" in said
    for word in ("Doe", "Jane", "MRN00123", "Bleeding"):
        assert word not in said


def test_every_look_under_it_is_recorded_and_marked(
    restricted: Patient, pathologist: User, case: Case, client_for: SignIn
) -> None:
    break_glass(pathologist, restricted)
    desk = client_for(pathologist)
    for _ in range(3):
        assert desk.get(case.get_absolute_url()).status_code == 200
    found = readings.readings_of([restricted.pk]).filter(actor=pathologist)
    assert [event.action for event in found] == ["patient.viewed"] * 3 + ["patient.break_glass"]
    assert all(readings.is_break_glass(event) for event in found)
    audit.record_reads(actor=pathologist, patients=[restricted])
    assert found.all().count() == 5


def test_the_same_again_is_one_access_and_its_record_never_changes(
    restricted: Patient, pathologist: User
) -> None:
    access = break_glass(pathologist, restricted)
    assert break_glass(pathologist, restricted, access_id=access.pk) == access
    assert break_glass(pathologist, restricted) == access
    assert AuditEvent.objects.filter(action="patient.break_glass").count() == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        EmergencyAccess.objects.update(words="Nothing.")
    let_time_pass(access, timedelta(days=1))
    with pytest.raises(TransitionRefused):
        break_glass(pathologist, restricted, access_id=access.pk)


def test_is_refused_without_words_duty_or_need(
    restricted: Patient, pathologist: User, technician: User, consultant: User, learner: User
) -> None:
    with pytest.raises(GuardFailed):
        break_glass(pathologist, restricted, words="  ")
    with pytest.raises(TransitionRefused):
        break_glass(technician, restricted)  # registered the case: the record is open
    for person in (consultant, learner, User.system()):
        with pytest.raises(NotPermitted):
            break_glass(person, restricted)
    assert not EmergencyAccess.objects.exists()


def test_programs_neither_break_the_glass_nor_pass_behind_the_person_who_did(
    restricted: Patient, pathologist: User
) -> None:
    pathologist.acts_by_program = True
    with pytest.raises(NotPermitted):
        break_glass(pathologist, restricted)
    pathologist.acts_by_program = False
    break_glass(pathologist, restricted)
    assert sees(pathologist, restricted)
    pathologist.acts_by_program = True
    assert not sees(pathologist, restricted)


def test_the_page_asks_why_and_loses_nothing(
    restricted: Patient, pathologist: User, case: Case, client_for: SignIn
) -> None:
    desk = client_for(pathologist)
    door = desk.get(case.get_absolute_url()).headers["Location"]
    form = desk.get(door).context["form"]
    values = {"access_id": str(form["access_id"].value()), "case": str(case.pk), "cause": "cover"}
    address = reverse("classifier:break_glass", args=[restricted.pk])
    refused = desk.post(address, values | {"cause": "", "words": "Nobody answers."})
    assert refused.status_code == 422
    assert "Nobody answers." in words_of(refused)
    assert "Jane" not in words_of(refused)
    opened = desk.post(address, values | {"words": "Nobody answers."})
    assert opened.headers["Location"] == case.get_absolute_url()
    assert "Jane" in words_of(desk.get(case.get_absolute_url()))


class TestJudging:
    """Somebody else says of each whether it was justified."""

    @pytest.fixture
    def access(self, restricted: Patient, pathologist: User) -> EmergencyAccess:
        return break_glass(pathologist, restricted)

    def test_is_said_once_by_somebody_else_with_words(
        self, access: EmergencyAccess, administrator: User, pathologist: User
    ) -> None:
        judged: dict[str, Any] = {"access_id": access.pk, "verdict": "justified"}
        judged["words"] = "On call."
        with pytest.raises(NotPermitted):
            emergencies.judge(actor=pathologist, **judged)
        with pytest.raises(GuardFailed):
            emergencies.judge(actor=administrator, **judged | {"words": " "})
        emergencies.judge(actor=administrator, **judged)
        with pytest.raises(TransitionRefused):
            emergencies.judge(actor=administrator, **judged)
        event = AuditEvent.objects.get(action="restricted_access.judged")
        assert (event.reason, event.after) == ("On call.", {"verdict": "justified"})

    def test_is_never_ones_own(self, restricted: Patient, administrator: User) -> None:
        access = break_glass(administrator, restricted)
        with pytest.raises(NotPermitted):
            emergencies.judge(
                actor=administrator, access_id=access.pk, verdict="justified", words="Mine."
            )

    def test_an_overdue_one_is_told_once(
        self, access: EmergencyAccess, administrator: User
    ) -> None:
        emergencies.tell_overdue()
        let_time_pass(access, timedelta(days=8))
        for _ in range(2):
            emergencies.tell_overdue()
        event = AuditEvent.objects.get(action="restricted_access.overdue")
        assert Notice.objects.filter(event=event).get().recipient == administrator
        emergencies.judge(
            actor=administrator, access_id=access.pk, verdict="not_justified", words="No need."
        )
        assert not emergencies.overdue(timezone.now()).exists()

    def test_the_queue_shows_reason_and_looks_and_takes_the_judgement(
        self,
        access: EmergencyAccess,
        administrator: User,
        pathologist: User,
        case: Case,
        client_for: SignIn,
    ) -> None:
        client_for(pathologist).get(case.get_absolute_url())
        desk = client_for(administrator)
        listed = words_of(desk.get(reverse("classifier:emergencies")))
        assert "Bleeding." in listed
        answer = desk.get(access.get_absolute_url())
        looks = [entry.event.action for entry in answer.context["looks"]]
        assert looks == ["patient.viewed", "patient.break_glass"]
        page = words_of(answer)
        assert "Jane" not in page
        assert desk.post(access.get_absolute_url(), {"verdict": "justified"}).status_code == 422
        desk.post(access.get_absolute_url(), {"verdict": "justified", "words": "On call."})
        assert "On call." in words_of(desk.get(access.get_absolute_url()))

    def test_only_who_protects_records_opens_the_queue(
        self, access: EmergencyAccess, client_for: SignIn
    ) -> None:
        other = UserFactory.create(role=Role.PATHOLOGIST)
        for address in (reverse("classifier:emergencies"), access.get_absolute_url()):
            assert client_for(other).get(address).status_code == 403
