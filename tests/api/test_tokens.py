"""Tokens: made within their owner's duties, shown once, ended at once."""

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from accounts.chain import verify_chain
from accounts.enums import Role
from accounts.models import AuditEvent, User
from accounts.services import change_role, deactivate_user
from api import policies
from api.enums import Scope
from api.exceptions import TokenInvalid, TokenRefused
from api.models import ApiToken
from api.services.tokens import create_token, revoke_token, use_token
from classifier.exceptions import NotPermitted
from tests.api.conftest import MakeToken
from tests.factories import PASSWORD, UserFactory

DAY = timedelta(days=1)


def test_only_a_hash_of_the_secret_is_stored(technician: User, make_token: MakeToken) -> None:
    made = make_token(technician, Scope.CASES_READ)
    _, prefix, secret = made.text.split("_", 2)
    token = ApiToken.objects.get()
    assert token.prefix == prefix
    assert token.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    event = AuditEvent.objects.get(action="api_token.created")
    assert event.after is not None
    assert event.after["scopes"] == ["cases:read"]
    assert secret not in event.payload


def test_a_scope_beyond_the_owners_duties_is_refused(technician: User) -> None:
    with pytest.raises(TokenRefused):
        create_token(actor=technician, name="x", scopes=[Scope.REVIEWS_WRITE], life=DAY)
    with pytest.raises(TokenRefused):
        create_token(actor=technician, name="x", scopes=[], life=DAY)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=366)])
def test_a_life_beyond_the_limit_is_refused(technician: User, life: timedelta) -> None:
    with pytest.raises(TokenRefused):
        create_token(actor=technician, name="x", scopes=[Scope.CASES_READ], life=life)


def test_the_same_token_is_not_made_twice(technician: User, make_token: MakeToken) -> None:
    token_id = uuid.uuid4()
    make_token(technician, token_id=token_id)
    with pytest.raises(TokenRefused):
        make_token(technician, token_id=token_id)
    assert AuditEvent.objects.filter(action="api_token.created").count() == 1


def test_what_is_no_token_opens_nothing(technician: User, make_token: MakeToken) -> None:
    text = make_token(technician).text
    other = make_token(technician).text
    mixed = "_".join([*text.split("_")[:2], other.split("_", 2)[2]])
    for wrong in ("", "hv", "hv__", text[:-1], text + "x", mixed, text.replace("hv", "gh", 1)):
        with pytest.raises(TokenInvalid):
            use_token(wrong)


def test_an_expired_token_opens_nothing(technician: User, make_token: MakeToken) -> None:
    made = make_token(technician, life=DAY)
    assert use_token(made.text) == made.token
    with time_machine.travel(made.token.expires_at, tick=False), pytest.raises(TokenInvalid):
        use_token(made.text)


def test_a_token_ends_with_its_owners_account(
    technician: User, administrator: User, make_token: MakeToken
) -> None:
    made = make_token(technician)
    deactivate_user(actor=administrator, user=technician, reason="Left.")
    with pytest.raises(TokenInvalid):
        use_token(made.text)


def test_a_lost_duty_takes_the_scope_away(
    technician: User, administrator: User, make_token: MakeToken
) -> None:
    made = make_token(technician)
    assert policies.may_use(use_token(made.text), Scope.CASES_WRITE)
    change_role(actor=administrator, user=technician, role=Role.PATHOLOGIST, reason="New job.")
    token = use_token(made.text)
    assert not policies.may_use(token, Scope.CASES_WRITE)
    assert policies.may_use(token, Scope.CASES_READ)
    assert not policies.may_use(token, Scope.REVIEWS_WRITE), "never asked for"


def test_an_owner_who_must_change_the_password_is_kept_out(
    technician: User, make_token: MakeToken
) -> None:
    made = make_token(technician)
    User.objects.filter(pk=technician.pk).update(must_change_password=True)
    with pytest.raises(TokenInvalid):
        use_token(made.text)


def test_use_is_noted_to_the_hour(technician: User, make_token: MakeToken) -> None:
    made = make_token(technician)
    with time_machine.travel(timezone.now(), tick=False):
        use_token(made.text)
        noted = ApiToken.objects.get().last_used_at
    assert noted is not None
    assert (noted.minute, noted.second) == (0, 0)


def test_revoking_is_for_the_owner_and_administrators(
    technician: User, pathologist: User, administrator: User, make_token: MakeToken
) -> None:
    made = make_token(technician)
    with pytest.raises(NotPermitted):
        revoke_token(token_id=made.token.pk, actor=pathologist)
    for _ in range(2):
        revoke_token(token_id=made.token.pk, actor=administrator)
    assert AuditEvent.objects.filter(action="api_token.revoked").count() == 1
    with pytest.raises(TokenInvalid):
        use_token(made.text)


@pytest.mark.parametrize(
    "change", [{"revoked_at": None, "revoked_by": None}, {"scopes": ["fhir:read"]}, {"name": "x"}]
)
def test_the_database_keeps_what_was_granted(
    technician: User, make_token: MakeToken, change: dict[str, object]
) -> None:
    made = make_token(technician, Scope.CASES_READ)
    revoke_token(token_id=made.token.pk, actor=technician)
    with pytest.raises(DatabaseError), transaction.atomic():
        ApiToken.objects.filter(pk=made.token.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.token.delete()


# Pages ------------------------------------------------------------------------------------------

ClientFor = Callable[[User], Client]


def _form(**changes: object) -> dict[str, object]:
    return {
        "name": "Analyser bridge",
        "scopes": ["cases:read", "cases:write"],
        "days": 30,
        "token_id": str(uuid.uuid4()),
        "password": PASSWORD,
    } | changes


@pytest.mark.django_db(transaction=True)
def test_a_token_is_shown_once(client_for: ClientFor) -> None:
    client = client_for(UserFactory.create())
    form = _form()
    response = client.post("/api/tokens/new/", form)
    text = re.search(r"hv_[0-9a-f]{12}_[\w-]{43}", response.content.decode())
    assert text
    assert use_token(text[0]).name == "Analyser bridge"
    assert response["Cache-Control"].startswith("max-age=0")
    assert client.post("/api/tokens/new/", form).status_code == 422
    assert text[0] not in client.get("/api/tokens/").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"scopes": ["reviews:write"]}, {"days": 4000}, {"name": ""}]
)
def test_a_wrong_form_makes_nothing(client_for: ClientFor, changes: dict[str, object]) -> None:
    response = client_for(UserFactory.create()).post("/api/tokens/new/", _form(**changes))
    assert response.status_code == 422
    assert not ApiToken.objects.exists()


def test_everybody_sees_their_own_and_administrators_all(
    technician: User, pathologist: User, administrator: User,
    make_token: MakeToken, client_for: ClientFor,
) -> None:  # fmt: skip
    made = make_token(technician, name="Bridge of Tess")
    assert "Bridge of Tess" in client_for(technician).get("/api/tokens/").content.decode()
    other = client_for(pathologist)
    assert "Bridge of Tess" not in other.get("/api/tokens/?all=1").content.decode()
    address = f"/api/tokens/{made.token.pk}/revoke/"
    assert other.post(address).status_code == 404
    manager = client_for(administrator)
    assert "Bridge of Tess" not in manager.get("/api/tokens/").content.decode()
    assert "Bridge of Tess" in manager.get("/api/tokens/?all=1").content.decode()
    assert manager.post(address).status_code == 302
    made.token.refresh_from_db()
    assert made.token.revoked_by == administrator


@pytest.mark.parametrize("role", [Role.LEARNER])
def test_who_has_no_scope_has_no_tokens(role: Role, db: None, client_for: ClientFor) -> None:
    client = client_for(UserFactory.create(role=role))
    assert client.get("/api/tokens/").status_code == 403
    assert client.get("/api/tokens/new/").status_code == 403
    assert Client().get("/api/tokens/").status_code == 302


# Audit ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_trail_stays_sound_with_what_tokens_did() -> None:
    from accounts import context
    from tests.accounts.trail import write_event

    user = UserFactory.create()
    with context.request_context(request_id=str(uuid.uuid4()), client_address=None):
        write_event(user)
        context.act_by("API token 0123456789ab")
        event = write_event(user)
    after = write_event(user)
    assert '"means":"API token 0123456789ab"' in event.payload
    assert "means" not in after.payload
    assert verify_chain().is_sound
