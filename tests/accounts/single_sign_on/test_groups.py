"""Roles by the groups that the provider names."""

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent, User
from tests.accounts.factors import demand
from tests.accounts.single_sign_on.ways import JOIN, is_in, link, refusals
from tests.identity_provider import IdentityProvider


class TestGroups:
    RULES = {"group_roles": {"haem-md": "pathologist", "haem-mls": "technician"}}

    def test_a_group_changes_the_role_at_sign_in(
        self, provider: IdentityProvider, linked: User, administrator: User, client: Client
    ) -> None:
        demand(administrator, **self.RULES)
        provider.knows("tess", linked.email, groups=["staff", "haem-md"])
        provider.sign_in(client, "tess")
        assert is_in(client)
        assert client.get("/").status_code == 200
        assert User.objects.get(pk=linked.pk).role == Role.PATHOLOGIST
        event = AuditEvent.objects.get(action="user.role_changed")
        assert (event.actor.is_system, event.target_id) == (True, str(linked.pk))

    @pytest.mark.parametrize("groups", [[], ["staff"], ["haem-md", "haem-mls"]])
    def test_no_group_or_two_that_differ_open_nothing(
        self,
        provider: IdentityProvider,
        linked: User,
        administrator: User,
        client: Client,
        groups: list[str],
    ) -> None:
        demand(administrator, **self.RULES)
        provider.knows("tess", linked.email, groups=groups)
        provider.sign_in(client, "tess")
        assert not is_in(client)
        assert refusals() == ["no role by group"]

    def test_a_consultant_is_no_groups_business(
        self, provider: IdentityProvider, consultant: User, administrator: User, client: Client
    ) -> None:
        demand(administrator, **self.RULES)
        link(consultant, provider, "cora")
        provider.knows("cora", consultant.email, groups=["haem-md"])
        provider.sign_in(client, "cora")
        assert is_in(client)
        assert User.objects.get(pk=consultant.pk).role == Role.CONSULTANT

    def test_people_unknown_here_come_in_by_group_alone_and_where_the_laboratory_says_so(
        self, provider: IdentityProvider, administrator: User, client: Client
    ) -> None:
        provider.knows("newton", "newton@x.example", groups=["haem-mls"])
        demand(administrator, **self.RULES)
        provider.sign_in(client, "newton")
        assert not is_in(client)
        demand(administrator, **self.RULES, admits_unknown=True)
        assert provider.sign_in(client, "newton")["Location"] == JOIN
        client.post(JOIN, {"full_name": "Nell Newton", "agreed": "on"})
        assert is_in(client)
        user = User.objects.get(email="newton@x.example")
        assert user.role == Role.TECHNICIAN
        assert AuditEvent.objects.filter(action="sso.admitted", target_id=user.pk).exists()
