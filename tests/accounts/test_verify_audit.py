"""Any tampering with the audit trail is found and named."""

import hashlib
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.chain import current_head, verify_chain
from accounts.models import AuditSeal, User
from tests.accounts.trail import seal, tamper, write_event


@pytest.fixture
def seals(administrator: User, technician: User) -> list[AuditSeal]:
    """Five sealed events of two people."""
    for number in range(5):
        actor = administrator if number % 2 else technician
        write_event(actor, after={"number": number}, reason=f"Reason {number}")
    return seal()


def _findings() -> str:
    return "\n".join(verify_chain().findings)


def test_an_untouched_trail_is_sound(seals: list[AuditSeal]) -> None:
    verdict = verify_chain()
    assert verdict.is_sound
    assert (verdict.count, verdict.head) == (5, seals[-1].hash)
    assert current_head() == (5, seals[-1].hash)


def test_the_chain_is_sha256_over_the_hash_before_and_the_payload(seals: list[AuditSeal]) -> None:
    previous = "0" * 64
    for link in seals:
        assert link.previous_hash == previous
        previous = hashlib.sha256((previous + link.event.payload).encode()).hexdigest()
        assert link.hash == previous


def test_an_empty_trail_is_sound(db: None) -> None:
    verdict = verify_chain()
    assert (verdict.count, verdict.head, verdict.findings) == (0, "0" * 64, ())


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("actor_name", "Somebody Else", "actor_name"),
        ("action", "user.invited", "action"),
        ("reason", "", "reason"),
        ("after", '{"number": 9}', "after"),
        ("before", '{"number": 0}', "before"),
        ("at", "2020-01-01T00:00:00Z", "at"),
        ("client_address", "192.0.2.1", "client_address"),
        ("target_id", "77", "target_id"),
        ("patient_id", "5b6c1c52-0e2c-4b6e-8f8e-2f0f5a0a9d11", "patient"),
    ],
)
def test_finds_an_altered_column(
    seals: list[AuditSeal], column: str, value: str, named: str
) -> None:
    tamper(f"UPDATE accounts_auditevent SET {column} = %s WHERE id = %s", value, seals[2].event_id)
    assert _findings() == f"Seal 3: event {seals[2].event_id} was altered in {named}."


def test_finds_another_actor(seals: list[AuditSeal], pathologist: User) -> None:
    event = seals[1].event_id
    tamper("UPDATE accounts_auditevent SET actor_id = %s WHERE id = %s", pathologist.pk, event)
    assert _findings() == f"Seal 2: event {event} was altered in actor."


def test_finds_an_altered_payload(seals: list[AuditSeal]) -> None:
    event = seals[2].event
    payload = event.payload.replace("Reason 2", "Reason 9")
    tamper(
        "UPDATE accounts_auditevent SET payload = %s, reason = 'Reason 9' WHERE id = %s",
        payload,
        event.pk,
    )
    assert _findings() == f"Seal 3: the hash does not match event {event.pk}: altered."


@pytest.mark.parametrize("payload", ["nonsense", "[]"])
def test_finds_a_payload_that_is_no_event(seals: list[AuditSeal], payload: str) -> None:
    tamper("UPDATE accounts_auditevent SET payload = %s WHERE id = %s", payload, seals[0].event_id)
    assert "was altered in payload" in _findings()


def test_finds_a_deleted_event(seals: list[AuditSeal]) -> None:
    tamper("DELETE FROM accounts_auditevent WHERE id = %s", seals[3].event_id)
    assert _findings() == f"Seal 4: its event {seals[3].event_id} was deleted."


def test_finds_a_deleted_seal(seals: list[AuditSeal]) -> None:
    tamper("DELETE FROM accounts_auditseal WHERE sequence = 3")
    assert "Seals 3 to 3 are missing." in _findings()
    assert f"Event {seals[2].event_id} was never sealed" in _findings()


def test_finds_an_event_and_its_seal_deleted_together(seals: list[AuditSeal]) -> None:
    tamper("DELETE FROM accounts_auditseal WHERE sequence = 2")
    tamper("DELETE FROM accounts_auditevent WHERE id = %s", seals[1].event_id)
    assert _findings() == "Seals 2 to 2 are missing."


def test_finds_a_gap_that_was_closed_by_renumbering(seals: list[AuditSeal]) -> None:
    tamper("DELETE FROM accounts_auditseal WHERE sequence = 2")
    tamper("DELETE FROM accounts_auditevent WHERE id = %s", seals[1].event_id)
    for sequence in (3, 4, 5):
        tamper(
            "UPDATE accounts_auditseal SET sequence = %s WHERE sequence = %s",
            sequence - 1,
            sequence,
        )
    assert "Seal 2 does not continue the seal before it" in _findings()


def test_finds_events_put_in_another_order(seals: list[AuditSeal]) -> None:
    for old, new in ((2, 20), (3, 2), (20, 3)):
        tamper("UPDATE accounts_auditseal SET sequence = %s WHERE sequence = %s", new, old)
    assert "Seal 2 does not continue the seal before it: altered or reordered." in _findings()


def test_finds_events_swapped_under_their_seals(seals: list[AuditSeal]) -> None:
    first, second = seals[1].event_id, seals[2].event_id
    tamper(
        "UPDATE accounts_auditseal SET event_id = (CASE sequence WHEN 2 THEN %s::uuid "
        "ELSE %s::uuid END) WHERE sequence = 9",
        second,
        first,
    )
    tamper("DELETE FROM accounts_auditseal WHERE sequence IN (2, 3)")
    for link, event in ((seals[1], second), (seals[2], first)):
        tamper(
            "INSERT INTO accounts_auditseal (sequence, event_id, previous_hash, hash) "
            "VALUES (%s, %s, %s, %s)",
            link.sequence,
            event,
            link.previous_hash,
            link.hash,
        )
    assert f"Seal 2: the hash does not match event {second}" in _findings()
    assert f"Seal 3: the hash does not match event {first}" in _findings()


def test_finds_an_event_slipped_in_without_a_seal(
    seals: list[AuditSeal], administrator: User
) -> None:
    tamper(
        "INSERT INTO accounts_auditevent (id, at, actor_id, actor_name, action, target_type, "
        "target_id, target_label, reason, request_id, payload) "
        "VALUES (gen_random_uuid(), now(), %s, 'Ada', 'user.changed', '', '', '', '', '', '{}')",
        administrator.pk,
    )
    assert "was never sealed, or its seal was deleted." in _findings()


def _cut_off_the_newest(seals: list[AuditSeal]) -> None:
    tamper("DELETE FROM accounts_auditseal WHERE sequence = 5")
    tamper("DELETE FROM accounts_auditevent WHERE id = %s", seals[4].event_id)


def _seal_anew_from_the_third(seals: list[AuditSeal]) -> None:
    event = seals[2].event
    payload = event.payload.replace("Reason 2", "Reason 9")
    tamper(
        "UPDATE accounts_auditevent SET payload = %s, reason = 'Reason 9' WHERE id = %s",
        payload,
        event.pk,
    )
    previous = seals[1].hash
    for link in seals[2:]:
        content = payload if link.sequence == 3 else link.event.payload
        digest = hashlib.sha256((previous + content).encode()).hexdigest()
        tamper(
            "UPDATE accounts_auditseal SET previous_hash = %s, hash = %s WHERE sequence = %s",
            previous,
            digest,
            link.sequence,
        )
        previous = digest


@pytest.mark.parametrize("forge", [_cut_off_the_newest, _seal_anew_from_the_third])
def test_an_anchor_finds_what_leaves_a_sound_chain(seals: list[AuditSeal], forge: Any) -> None:
    anchor = seals[-1].hash
    assert verify_chain(expected_head=anchor).is_sound
    forge(seals)
    assert verify_chain().is_sound
    assert not verify_chain(expected_head=anchor).is_sound


def test_an_earlier_anchor_stays_good(seals: list[AuditSeal], administrator: User) -> None:
    write_event(administrator)
    seal()
    assert verify_chain(expected_head=seals[1].hash).is_sound


def test_the_command_reports_a_sound_trail(seals: list[AuditSeal]) -> None:
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert f"5 events, head {seals[-1].hash}" in out.getvalue()
    assert "sound" in out.getvalue()


def test_the_command_fails_on_a_tampered_trail(seals: list[AuditSeal]) -> None:
    tamper("UPDATE accounts_auditevent SET reason = '' WHERE id = %s", seals[0].event_id)
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="NOT sound"):
        call_command("verify_audit", stdout=out, stderr=err)
    assert "was altered in reason" in err.getvalue()


def test_the_command_fails_on_an_unknown_anchor(seals: list[AuditSeal]) -> None:
    with pytest.raises(CommandError, match="NOT sound"):
        call_command(
            "verify_audit", "--expect-head", "f" * 64, stdout=io.StringIO(), stderr=io.StringIO()
        )
