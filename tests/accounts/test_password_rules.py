"""Which passwords are taken, new ones after an incident, and doors that answer alike."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import services
from accounts.enums import Role
from accounts.exceptions import NotPermitted
from accounts.models import AuditEvent, FormerPassword, User
from accounts.sign_in_policy_services import require_new_passwords
from hematovision import settings as product
from tests.accounts.factors import demand
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_cache")

CHANGE = "/account/password/change/"


def _complaints(password: str, user: User) -> list[str]:
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        return [str(error.code) for error in refusal.error_list]
    return []


class TestRules:
    @pytest.mark.parametrize(
        ("password", "complaint"),
        [
            ("eleven char", "password_too_short"),
            ("q1w2e3r4t5y6", "password_too_common"),
            ("tesstechnician", "password_too_similar"),
        ],
    )
    def test_what_is_refused(self, technician: User, password: str, complaint: str) -> None:
        assert complaint in _complaints(password, technician)

    @pytest.mark.parametrize("password", ["843 912 665 0371", "  only lower ", "çok uzun parola"])
    def test_nothing_but_length_is_asked_of_its_characters(
        self, technician: User, password: str
    ) -> None:
        assert _complaints(password, technician) == []

    def test_a_password_has_an_end(self, technician: User) -> None:
        assert _complaints("many quiet fields " * 7, technician) == []
        assert _complaints("many quiet fields " * 8, technician) == ["password_too_long"]

    def test_what_is_long_is_not_cut_off(self, technician: User) -> None:
        technician.set_password("many quiet fields " * 7 + "a")
        assert not technician.check_password("many quiet fields " * 7 + "b")

    def test_hashes_are_slow_and_salted(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
        one, other = (make_password("843 912 665 0371") for _ in range(2))
        name, rounds, salt, _ = one.split("$")
        assert (name, int(rounds) >= 310_000) == ("pbkdf2_sha256", True)
        assert len(salt) >= 22, "22 characters of 62 are 128 bits"
        assert salt != other.split("$")[2]
        assert not hasattr(product, "PASSWORD_HASHERS"), "the product's own are Django's"

    def test_the_laboratory_sets_the_length(self, administrator: User, technician: User) -> None:
        demand(administrator, minimum_length=20)
        assert _complaints("quiet purple fields", technician) == ["password_too_short"]

    def test_the_last_ones_may_not_come_back(self, administrator: User, technician: User) -> None:
        demand(administrator, remembered_passwords=2)
        for password in ("first quiet word", "second quiet word", "third quiet word"):
            technician.set_password(password)
            technician.save()
        used = [
            _complaints(one, technician) == ["password_used_before"]
            for one in ("third quiet word", "second quiet word", "first quiet word")
        ]
        assert used == [True, True, False]
        assert FormerPassword.objects.filter(user=technician).count() == 2

    def test_the_one_in_use_counts_though_nothing_was_kept(
        self, administrator: User, technician: User
    ) -> None:
        assert not FormerPassword.objects.exists()
        demand(administrator, remembered_passwords=1)
        assert _complaints(PASSWORD, technician) == ["password_used_before"]

    def test_forgetting_is_a_rule_too(self, administrator: User, technician: User) -> None:
        demand(administrator, remembered_passwords=2)
        technician.set_password("first quiet word")
        technician.save()
        demand(administrator)
        technician.set_password("second quiet word")
        technician.save()
        assert not FormerPassword.objects.exists()


class TestAfterAnIncident:
    def test_everybody_needs_a_new_one(
        self, administrator: User, technician: User, client_for: Callable[[User], Client]
    ) -> None:
        desk, office = client_for(technician), client_for(administrator)
        page = "/administration/sign-in/new-passwords/"
        assert office.post(page, {"reason": " "}).status_code == 422
        office.post(page, {"reason": "A laptop was stolen"})
        for client in (desk, office):
            assert client.get("/")["Location"].startswith("/account/login/")
        event = AuditEvent.objects.get(action="sign_in_policy.new_passwords")
        assert (event.after, event.reason) == ({"people": 2}, "A laptop was stolen")
        desk.post("/account/login/", {"login": technician.email, "password": PASSWORD})
        assert desk.get("/")["Location"] == CHANGE
        new = "seven quiet microscopes"
        form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        assert desk.post(CHANGE, form).status_code == 302
        assert desk.get("/").status_code == 200

    def test_only_those_who_manage_accounts_demand_it(self, technician: User) -> None:
        with pytest.raises(NotPermitted):
            require_new_passwords(actor=technician, reason="For fun")


class TestTheDoorAnswersAlike:
    """What a wrong password costs is the same, whether there is such an account or not."""

    @pytest.fixture
    def hashed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Collect what the hasher was given: the costly part of a sign-in."""
        given: list[str] = []
        encode = MD5PasswordHasher.encode

        def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
            given.append(password)
            return encode(self, password, salt)

        monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
        return given

    def test_for_every_kind_of_account(
        self, technician: User, learner: User, administrator: User, hashed: list[str]
    ) -> None:
        services.deactivate_user(actor=administrator, user=learner, reason="Left")
        invited = services.invite_user(
            actor=administrator, email="i@lab.example", full_name="I", role=Role.LEARNER
        ).user
        answers = {}
        for email in (technician.email, learner.email, invited.email, "no@body.example"):
            hashed.clear()
            form = {"login": email, "password": "wrong words here"}
            response = Client().post("/account/login/", form)
            errors = tuple(map(str, response.context["form"].non_field_errors()))
            answers[email] = (response.status_code, errors, len(hashed))
        assert set(answers.values()) == {answers["no@body.example"]}
        assert answers["no@body.example"][2] == 1

    def test_locks_too_are_those_of_the_address_tried(
        self, technician: User, administrator: User, client_for: Callable[[User], Client]
    ) -> None:
        for email in (technician.email, "no@body.example"):
            form = {"login": email, "password": "wrong words here"}
            codes = [Client().post("/account/login/", form).status_code for _ in range(6)]
            assert codes == [200] * 4 + [429] * 2
        page = client_for(administrator).get("/administration/sign-in/").content.decode()
        assert technician.email in page
        assert "no@body.example" in page

    def test_a_forgotten_password_is_asked_for_alike(self, technician: User) -> None:
        answers = [
            Client().post("/account/password/reset/", {"email": email})["Location"]
            for email in (technician.email, "no@body.example")
        ]
        assert answers[0] == answers[1]
