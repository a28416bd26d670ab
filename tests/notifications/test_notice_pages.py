"""The pages of notices: reading them, and choosing which come how."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.models import Case
from notifications.exceptions import NotPermitted
from notifications.kinds import KINDS
from notifications.models import Notice, OwnWish, RoleWish
from notifications.selectors import Ways, count_unread, list_own_choices, ways_for
from notifications.services.choosing import choose_for_role, choose_own, forget_own
from tests.factories import UserFactory
from tests.pages import words_of

ClientFor = Callable[[User], Client]
BOTH = Ways(in_app=True, by_mail=True)
NEITHER = Ways(in_app=False, by_mail=False)
RETURNED = KINDS["case.returned"]


@pytest.fixture
def notice(case: Case, technician: User) -> Notice:
    event = AuditEvent.objects.filter(target_id=str(case.pk)).latest("at")
    return Notice.objects.create(recipient=technician, kind="case.returned", event=event)


def test_a_notice_leads_to_what_it_is_about_and_is_read(
    client_for: ClientFor, notice: Notice, case: Case, technician: User
) -> None:
    client = client_for(technician)
    assert count_unread(technician) == 1
    assert client.get(reverse("consultation:waiting")).json()["notices"] == 1
    response = client.get(notice.get_absolute_url())
    assert response["Location"] == case.get_absolute_url()
    assert count_unread(technician) == 0


def test_nobody_opens_the_notice_of_another(
    client_for: ClientFor, notice: Notice, pathologist: User
) -> None:
    assert client_for(pathologist).get(notice.get_absolute_url()).status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def test_the_list_names_no_patient(
    client_for: ClientFor, notice: Notice, case: Case, technician: User
) -> None:
    html = words_of(client_for(technician).get(reverse("notifications:notices")))
    assert "A case came back to you" in html
    assert case.accession_number in html
    assert "Doe" not in html


def test_all_can_be_marked_as_read(client_for: ClientFor, notice: Notice, technician: User) -> None:
    client = client_for(technician)
    client.post(reverse("notifications:read_all"))
    assert count_unread(technician) == 0
    page = client.get(reverse("notifications:notices"), {"show": "unread"})
    assert "Nothing unread" in page.content.decode()


def test_the_list_asks_the_same_however_long(
    client_for: ClientFor,
    notice: Notice,
    technician: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    events = AuditEvent.objects.exclude(pk=notice.event_id)[:3]
    Notice.objects.bulk_create(
        Notice(recipient=technician, kind="case.failed", event=event) for event in events
    )
    client = client_for(technician)
    with django_assert_max_num_queries(12):
        client.get(reverse("notifications:notices"))


def test_ones_own_choice_goes_before_the_roles(technician: User, administrator: User) -> None:
    other = UserFactory.create(role=Role.TECHNICIAN)
    choose_for_role(role=Role.TECHNICIAN, actor=administrator, wanted={"case.returned": NEITHER})
    choose_own(user=technician, wanted={"case.returned": BOTH})
    ways = ways_for(RETURNED, [technician, other, administrator])
    assert ways[technician] == BOTH
    assert ways[other] == NEITHER
    assert ways[administrator] == Ways(RETURNED.in_app, RETURNED.by_mail)
    forget_own(user=technician)
    assert ways_for(RETURNED, [technician])[technician] == NEITHER


def test_urgent_notices_are_always_shown(technician: User) -> None:
    choose_own(user=technician, wanted={"critical.escalated": NEITHER})
    assert ways_for(KINDS["critical.escalated"], [technician])[technician] == Ways(True, False)


def test_choices_are_audited_once(technician: User) -> None:
    choose_own(user=technician, wanted={"case.returned": NEITHER})
    choose_own(user=technician, wanted={"case.returned": NEITHER})
    event = AuditEvent.objects.get(action="notices.own_choices_changed")
    assert event.before == {"case.returned": {"in_app": True, "by_mail": True}}
    assert event.after == {"case.returned": {"in_app": False, "by_mail": False}}


def test_only_what_concerns_the_role_can_be_chosen(technician: User) -> None:
    choose_own(user=technician, wanted={"case.stat_waiting": BOTH})
    assert not OwnWish.objects.exists()
    assert "case.stat_waiting" not in {item.kind.name for item in list_own_choices(technician)}


def test_the_forms_keep_what_is_ticked(
    client_for: ClientFor, technician: User, administrator: User
) -> None:
    shown = {"kind": ["case.returned", "case.failed"], "case.failed.by_mail": "on"}
    client_for(technician).post(reverse("notifications:choices"), shown)
    assert ways_for(RETURNED, [technician])[technician] == NEITHER
    assert ways_for(KINDS["case.failed"], [technician])[technician] == Ways(False, True)
    for_role = {"pathologist.kind": "case.waiting", "pathologist.case.waiting.in_app": "on"}
    client_for(administrator).post(reverse("notifications:roles"), for_role)
    wish = RoleWish.objects.get()
    assert (wish.role.name, wish.kind, wish.in_app) == ("pathologist", "case.waiting", True)


def test_only_administrators_choose_for_roles(technician: User) -> None:
    with pytest.raises(NotPermitted):
        choose_for_role(role=Role.TECHNICIAN, actor=technician, wanted={})
