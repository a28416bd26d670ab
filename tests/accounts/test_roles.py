"""Roles and what they allow."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction

from accounts.apps import keep_seeded_rows
from accounts.enums import AccountState, Role
from accounts.models import User
from accounts.roles import DUTIES, ROLE_DUTIES
from tests.factories import UserFactory


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("duty", DUTIES)
def test_a_role_holds_its_duties_and_no_others(db: None, role: Role, duty: str) -> None:
    user = UserFactory.create(role=role)
    assert user.has_perm(f"accounts.{duty}") is (duty in ROLE_DUTIES[role])


@pytest.mark.parametrize("duty", ["sign_off_case", "amend_report", "review_case", "submit_case"])
def test_administrators_have_no_clinical_say(administrator: User, duty: str) -> None:
    assert not administrator.has_perm(f"accounts.{duty}")


def test_a_deactivated_account_may_do_nothing(pathologist: User) -> None:
    pathologist.is_active = False
    assert not pathologist.has_perm("accounts.sign_off_case")


def test_migrating_again_brings_roles_back_in_step(db: None) -> None:
    group = Group.objects.get(name=Role.TECHNICIAN)
    group.permissions.set(Permission.objects.filter(codename="sign_off_case"))
    keep_seeded_rows(apps)
    assert set(group.permissions.values_list("codename", flat=True)) == ROLE_DUTIES[Role.TECHNICIAN]


def test_the_database_allows_one_role_each(technician: User) -> None:
    second = Group.objects.get(name=Role.PATHOLOGIST)
    with pytest.raises(IntegrityError, match="user_holds_one_role"), transaction.atomic():
        User.groups.through.objects.create(user=technician, group=second)
    technician.groups.add(second)
    assert User.objects.get(pk=technician.pk).role == Role.TECHNICIAN


def test_nobody_bypasses_permissions(db: None) -> None:
    with pytest.raises(IntegrityError, match="nobody_bypasses"), transaction.atomic():
        UserFactory.create(is_superuser=True)


def test_the_system_cannot_sign_in(db: None) -> None:
    system = User.system()
    assert (system.is_active, system.has_usable_password()) == (False, False)
    with pytest.raises(IntegrityError, match="system_cannot_sign_in"), transaction.atomic():
        User.objects.filter(pk=system.pk).update(is_active=True)


def test_an_email_is_one_account_whatever_its_case(technician: User) -> None:
    assert UserFactory.create(email="  Mixed.Case@Lab.Example ").email == "mixed.case@lab.example"
    assert User.objects.get_by_natural_key("MIXED.case@lab.example").state == AccountState.ACTIVE
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(email=technician.email.upper())
