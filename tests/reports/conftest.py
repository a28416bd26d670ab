"""Fixtures: cases ready to sign, and signing them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from classifier.models import Case
from reports.drafting import draft_report
from reports.enums import ReauthenticationMethod, SignatureMeaning
from reports.models import Report
from reports.services.reauthentication import Reauthentication
from reports.services.sign_off import Intent, sign_off_case
from tests.reviewing import MakeCase

Sign = Callable[..., Report]

ANSWERS = ["neutrophil"] * 4 + ["lymphocyte", "monocyte", "erythroblast", "platelet"]


def proof_of(user: User) -> Reauthentication:
    """Return the proof that the person gave their password just now."""
    return Reauthentication(user.pk, ReauthenticationMethod.PASSWORD, timezone.now())


def intent_for(case: Case, meaning: SignatureMeaning = SignatureMeaning.APPROVAL) -> Intent:
    """Return the intent of somebody who has just previewed the case."""
    draft = draft_report(Case.objects.get(pk=case.pk))
    return Intent(meaning=meaning, draft_sha256=draft.draft_sha256)


@pytest.fixture
def ready_case(classified_case: MakeCase) -> Case:
    """A case open with the pathologist, all its cells read."""
    return classified_case(ANSWERS, in_review=True)


@pytest.fixture
def sign(pathologist: User) -> Sign:
    """Sign a case as it now stands."""

    def sign_now(case: Case, actor: User | None = None) -> Report:
        signer = actor or pathologist
        return sign_off_case(
            case_id=case.pk,
            actor=signer,
            intent=intent_for(case),
            reauthentication=proof_of(signer),
        )

    return sign_now


@pytest.fixture
def stored_pdfs(settings: Settings) -> Callable[[], int]:
    """Return a counter of the report files on disk."""
    return lambda: len(list(Path(settings.MEDIA_ROOT).glob("reports/*/*.pdf")))
