"""Concurrent transactions seal their events in the order of their commits, without deadlock."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction

from accounts.chain import verify_chain
from accounts.models import AuditSeal, User
from tests.accounts.trail import write_event
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def _with_own_connection(work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return run


def test_many_writers_leave_one_sound_chain() -> None:
    user = UserFactory.create()

    def write_ten() -> None:
        for number in range(10):
            with transaction.atomic():
                write_event(user, after={"number": number})
                write_event(user, after={"number": number, "second": True})

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(_with_own_connection(write_ten)) for _ in range(6)]:
            future.result()
    verdict = verify_chain()
    assert verdict.is_sound
    assert verdict.count == AuditSeal.objects.count() == 120


def test_waiting_for_a_row_never_holds_up_the_chain() -> None:
    """One transaction locks a row, another refers to it after its event; both then commit.

    Were the chain locked before the reference is checked, each would wait for the other.
    """
    user, first, second = UserFactory.create(), UserFactory.create(), UserFactory.create()
    is_locked, is_committing = threading.Event(), threading.Event()

    def hold_the_row() -> None:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            is_locked.set()
            assert is_committing.wait(10)
            # Give the other commit time to reach its check of the foreign key.
            threading.Event().wait(0.5)
            write_event(first)

    def refer_to_the_row() -> None:
        assert is_locked.wait(10)
        with transaction.atomic():
            write_event(second)
            Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
            is_committing.set()

    with ThreadPoolExecutor(2) as pool:
        works = (hold_the_row, refer_to_the_row)
        for future in [pool.submit(_with_own_connection(work)) for work in works]:
            future.result(timeout=30)
    assert verify_chain().is_sound
    order = AuditSeal.objects.order_by("sequence").values_list("event__actor", flat=True)
    assert list(order) == [first.pk, second.pk]


def test_an_event_of_a_failed_transaction_leaves_no_trace() -> None:
    user = UserFactory.create()

    def fail() -> None:
        with transaction.atomic():
            write_event(user)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    write_event(user)
    verdict = verify_chain()
    assert (verdict.is_sound, verdict.count) == (True, 1)
