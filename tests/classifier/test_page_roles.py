"""Who may reject and cancel, and is offered what; who opens which page stands in tests/access."""

import pytest
from django.urls import reverse

from classifier.enums import CaseStatus
from classifier.models import Case
from tests.browsing import SignIn, page_of

ROLES = ("technician", "pathologist", "administrator", "consultant", "learner")


@pytest.mark.parametrize(
    ("name", "admitted"),
    [("reject", {"technician"}), ("cancel", {"technician"})],
)
@pytest.mark.parametrize("role", ROLES)
def test_asks_for_a_reason_only_those_who_may_act(
    request: pytest.FixtureRequest,
    client_for: SignIn,
    case: Case,
    name: str,
    admitted: set[str],
    role: str,
) -> None:
    client = client_for(request.getfixturevalue(role))
    url = reverse("classifier:case_reason", args=[case.pk, name])
    assert client.get(url).status_code == (200 if role in admitted else 403)
    if role not in admitted:
        assert client.post(url, {"reason": "Because"}).status_code == 403
        case.refresh_from_db()
        assert case.status == CaseStatus.REGISTERED


@pytest.mark.parametrize(
    ("role", "offered"), [("technician", True), ("administrator", False), ("pathologist", False)]
)
def test_buttons_are_offered_to_those_who_may_use_them(
    request: pytest.FixtureRequest, client_for: SignIn, case: Case, role: str, *, offered: bool
) -> None:
    page = page_of(client_for(request.getfixturevalue(role)), case)
    assert (reverse("classifier:case_submit", args=[case.pk]) in page) is offered
    assert (reverse("classifier:case_images_add", args=[case.pk]) in page) is offered
