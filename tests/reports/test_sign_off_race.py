"""Two signatures at once: one report."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import close_old_connections, connection

from accounts.models import User
from classifier.exceptions import DomainError
from classifier.models import Case
from reports.enums import SignatureMeaning
from reports.models import Report, SignOff
from reports.services import sign_off
from reports.services.sign_off import Intent, sign_off_case
from tests.reports.conftest import intent_for, proof_of


@pytest.fixture
def both_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody reach the lock before both have made their document."""
    barrier = threading.Barrier(2, timeout=60)
    issue = sign_off._issue

    def issue_together(*arguments: object) -> Report:
        barrier.wait()
        return issue(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sign_off, "_issue", issue_together)


def _at_once(case: Case, signer: User, intents: list[Intent]) -> list[object]:
    outcomes: list[object] = []

    def sign(intent: Intent) -> None:
        try:
            outcomes.append(
                sign_off_case(
                    case_id=case.pk,
                    actor=User.objects.get(pk=signer.pk),
                    intent=intent,
                    reauthentication=proof_of(signer),
                )
            )
        except DomainError as refusal:
            outcomes.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign, args=[intent]) for intent in intents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    return outcomes


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("both_prepared")
class TestTwoAtOnce:
    def test_different_declarations_have_one_winner(
        self, ready_case: Case, pathologist: User, stored_pdfs: Callable[[], int]
    ) -> None:
        intent = intent_for(ready_case)

        outcomes = _at_once(
            ready_case, pathologist, [intent, replace(intent, meaning=SignatureMeaning.REVIEW)]
        )

        assert sorted(isinstance(outcome, Report) for outcome in outcomes) == [False, True]
        assert Report.objects.count() == SignOff.objects.count() == stored_pdfs() == 1

    def test_a_double_click_gives_both_the_one_report(
        self, ready_case: Case, pathologist: User, stored_pdfs: Callable[[], int]
    ) -> None:
        intent = intent_for(ready_case)

        first, second = _at_once(ready_case, pathologist, [intent, intent])

        assert first == second == Report.objects.get()
        assert SignOff.objects.count() == stored_pdfs() == 1
