"""A duty given to one person beyond the role, or withheld from them."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import own_duties, services
from accounts.enums import Role
from accounts.exceptions import (
    DutyRefused,
    NotPermitted,
    OwnAccount,
    ReasonMissing,
    WrongState,
)
from accounts.models import AuditEvent, DutyException, User
from accounts.own_duties import end_exception, set_exception, why_not
from accounts.roles import APART, DUTIES, DUTY_OPENS, ROLE_BOUND, ROLE_DUTIES
from tests.browsing import SignIn
from tests.factories import UserFactory
from tests.pages import words_of

EXPORT = "export_reports"


def give(actor: User, user: User, duty: str = EXPORT, **details: object) -> DutyException:
    values = {"is_granted": True, "reason": "Stands in for a colleague."} | details
    return set_exception(actor=actor, user=user, duty=duty, **values)  # type: ignore[arg-type]


def holds(user: User, duty: str = EXPORT) -> bool:
    """What a fresh look at the account says, and the list of holders with it."""
    held = User.objects.get(pk=user.pk).has_perm(f"accounts.{duty}")
    assert User.objects.all().holding(duty).filter(pk=user.pk).exists() is held
    return held


def test_a_duty_is_given_and_taken_back(technician: User, administrator: User) -> None:
    assert not holds(technician)
    given = give(administrator, technician)
    assert holds(technician)
    end_exception(actor=administrator, exception=given, reason="The colleague is back.")
    assert not holds(technician)
    actions = AuditEvent.objects.filter(target_id=str(technician.pk)).order_by("at")
    assert [(one.action, one.reason) for one in actions] == [
        ("user.duty_given", "Stands in for a colleague."),
        ("user.duty_exception_ended", "The colleague is back."),
    ]


def test_a_duty_is_withheld_and_comes_back(pathologist: User, administrator: User) -> None:
    withheld = give(administrator, pathologist, is_granted=False)
    assert not holds(pathologist)
    assert holds(pathologist, "sign_off_case")
    end_exception(actor=administrator, exception=withheld, reason="Trained again.")
    assert holds(pathologist)


def test_what_is_given_for_a_time_ends_by_itself(technician: User, administrator: User) -> None:
    give(administrator, technician, expires_at=timezone.now() + timedelta(days=2))
    assert holds(technician)
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        assert not holds(technician)
        give(administrator, technician)
        assert holds(technician)
    assert DutyException.objects.standing().count() == 1


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("duty", DUTIES)
def test_nothing_that_is_kept_apart_ever_meets(administrator: User, role: Role, duty: str) -> None:
    """Whatever can be given to a role leaves four eyes, and administration from medicine, apart."""
    user = UserFactory.create(role=role)
    if why_not(user, duty, is_granted=True):
        with pytest.raises(DutyRefused):
            give(administrator, user, duty)
        return
    give(administrator, user, duty)
    held = ROLE_DUTIES[role] | {duty}
    assert not any(held & one and held & other for one, other, _ in APART)
    assert duty not in ROLE_BOUND
    assert role not in {Role.CONSULTANT, Role.LEARNER}


def test_two_given_duties_are_kept_apart_too(administrator: User) -> None:
    holder = UserFactory.create(role=Role.TECHNICIAN)
    assert why_not(holder, "sign_off_case", is_granted=True).startswith("Four eyes")
    ada = UserFactory.create(role=Role.ADMINISTRATOR)
    assert "never signs" in why_not(ada, "sign_off_case", is_granted=True)
    assert "never signs" in why_not(ada, "give_opinion", is_granted=True)


def test_roles_themselves_keep_apart_what_is_kept_apart() -> None:
    for held in ROLE_DUTIES.values():
        assert not any(held & one and held & other for one, other, _ in APART)
    assert set(DUTY_OPENS) <= set(DUTIES)


def test_only_another_administrator_decides_and_says_why(
    technician: User, pathologist: User, administrator: User
) -> None:
    with pytest.raises(NotPermitted):
        give(pathologist, technician)
    with pytest.raises(OwnAccount):
        give(administrator, administrator, "record_callback")
    with pytest.raises(ReasonMissing):
        give(administrator, technician, reason=" ")
    with pytest.raises(DutyRefused, match="ahead"):
        give(administrator, technician, expires_at=timezone.now())
    give(administrator, technician)
    with pytest.raises(WrongState):
        give(administrator, technician)
    assert DutyException.objects.count() == 1


def test_managing_accounts_comes_and_goes_with_the_role(
    technician: User, administrator: User
) -> None:
    other = UserFactory.create(role=Role.ADMINISTRATOR)
    for user, is_granted in ((technician, True), (other, False)):
        with pytest.raises(DutyRefused, match="role alone"):
            give(administrator, user, "manage_users", is_granted=is_granted)


def test_a_new_role_starts_without_exceptions(technician: User, administrator: User) -> None:
    give(administrator, technician)
    services.change_role(
        actor=administrator, user=technician, role=Role.LEARNER, reason="Back to school."
    )
    assert not holds(technician)
    assert DutyException.objects.get().end_reason == "The role was changed."


def test_the_deactivated_hold_nothing_that_was_given(technician: User, administrator: User) -> None:
    give(administrator, technician)
    services.deactivate_user(actor=administrator, user=technician, reason="Left.")
    assert not holds(technician)


def test_the_database_keeps_every_exception(technician: User, administrator: User) -> None:
    given = give(administrator, technician)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        DutyException.objects.filter(pk=given.pk)._raw_delete(DEFAULT_DB_ALIAS)
    with pytest.raises(IntegrityError, match="one_open"), transaction.atomic():
        DutyException.objects.create(
            user=technician, duty=EXPORT, is_granted=False, reason="x", decided_by=administrator
        )


def test_asking_costs_nothing_for_those_without_exceptions(
    technician: User, django_assert_num_queries: object
) -> None:
    technician.has_perm("accounts.view_patient")
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert not technician.has_perm(f"accounts.{EXPORT}")


class TestPages:
    @pytest.fixture
    def desk(self, administrator: User, client_for: SignIn) -> Client:
        return client_for(administrator)

    def test_gives_withholds_and_ends(
        self, desk: Client, client_for: SignIn, technician: User
    ) -> None:
        page = reverse("accounts:user_duties", args=[technician.pk])
        last = (timezone.localdate() + timedelta(days=7)).isoformat()
        sent = {"change": "give", "duty": EXPORT, "until": last, "reason": "Stands in."}
        assert desk.post(page, sent).status_code == 302
        given = DutyException.objects.get()
        assert given.expires_at is not None
        assert client_for(technician).get(reverse("reports:report_list")).status_code == 200
        for address in (page, technician.get_absolute_url(), reverse("accounts:permissions")):
            assert "Can export lists of signed reports" in words_of(desk.get(address))
            assert "Given" in words_of(desk.get(address))
        end = reverse("accounts:duty_exception_end", args=[technician.pk, given.pk])
        assert "Give a reason" in words_of(desk.post(end, follow=True))
        desk.post(end, {"reason": "The colleague is back."})
        assert not holds(technician)
        assert "The colleague is back." in words_of(desk.get(reverse("accounts:permissions")))

    def test_offers_nothing_that_is_forbidden(self, desk: Client, technician: User) -> None:
        page = desk.get(reverse("accounts:user_duties", args=[technician.pk]))
        offered = {value for value, _ in page.context["give"].fields["duty"].choices}
        assert not offered & {"sign_off_case", "manage_users", "view_audit"}
        sent = {"change": "give", "duty": "sign_off_case", "reason": "Please."}
        answer = desk.post(reverse("accounts:user_duties", args=[technician.pk]), sent)
        assert answer.status_code == 200
        assert not DutyException.objects.exists()

    def test_the_matrix_takes_a_fixed_number_of_queries(
        self, desk: Client, administrator: User, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(4):
            give(administrator, UserFactory.create(role=Role.TECHNICIAN))
        desk.get(reverse("accounts:permissions"))
        with django_assert_max_num_queries(14):  # type: ignore[operator]
            desk.get(reverse("accounts:permissions"))

    def test_ones_own_duties_are_for_another(self, desk: Client, administrator: User) -> None:
        page = desk.get(reverse("accounts:user_duties", args=[administrator.pk]))
        assert "These are your own duties" in words_of(page)


def test_duties_of_a_person_are_listed_with_what_they_open(technician: User) -> None:
    listed = {duty.codename: duty for duty in own_duties.list_duties(technician)}
    assert set(listed) == set(DUTIES)
    assert listed["submit_case"].is_held
    assert not listed["sign_off_case"].is_held
