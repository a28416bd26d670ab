"""Backups by the clock, work that a worker does, and the page that shows how all of it stands."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from notifications.models import Notice
from tests.pages import words_of
from vault import keys
from vault.copies import Copies
from vault.enums import JobKind, JobStatus
from vault.exceptions import WorkRefused
from vault.models import StoredFile, VaultJob
from vault.selectors import is_backup_late, list_backups, see_keys
from vault.services import jobs, schedule
from vault.services.holding import ClaimLost, Holding
from vault.services.rotation import make_new_key
from vault.stores import the_store

pytestmark = pytest.mark.django_db(transaction=True)

COPIES = reverse("vault:copies")
START = reverse("vault:start")


@pytest.fixture
def folder(settings: Settings, tmp_path: Path, own_keys: Path) -> Path:
    """A laboratory with three files, whose operator wants backups."""
    settings.BACKUP_FOLDER = tmp_path / "copies"
    settings.BACKUP_KEEP = 2
    for name in ("a.png", "b.png", "c.pdf"):
        default_storage.save(name, ContentFile(name.encode() * 1000))
    return Path(settings.BACKUP_FOLDER)


def ask(kind: JobKind, actor: User | None = None, subject: str = "") -> VaultJob:
    job = jobs.request_job(kind=kind, actor=actor or User.system(), subject=subject)
    jobs.work()
    job.refresh_from_db()
    return job


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("at"))


def at(hour: int, days: int = 0) -> time_machine.travel:
    day = timezone.localtime() + timedelta(days=days)
    moment = day.replace(hour=hour, minute=30, second=0, microsecond=0)
    return time_machine.travel(moment, tick=True)


def test_the_clock_asks_for_one_backup_a_night(folder: Path) -> None:
    with at(4):
        for _ in range(3):
            schedule.tend_vault()
            jobs.work()
    assert len(Copies(folder).ids()) == 1
    with at(1, days=1):
        schedule.tend_vault()
    assert VaultJob.objects.count() == 1, "its hour has not come"
    for day in (1, 2):
        with at(2, days=day):
            schedule.tend_vault()
            jobs.work()
    assert VaultJob.objects.filter(status=JobStatus.DONE).count() == 3
    assert len(Copies(folder).ids()) == 2, "only the newest are kept"
    assert [line.id for line in list_backups()] == sorted(Copies(folder).ids(), reverse=True)
    job = VaultJob.objects.earliest("requested_at")
    assert (job.done, job.total, job.result["files"]) == (3, 3, 3)


def test_nothing_runs_by_itself_without_a_folder(db: None) -> None:
    schedule.tend_vault()
    assert not VaultJob.objects.exists()
    with pytest.raises(WorkRefused, match="BACKUP_FOLDER"):
        jobs.request_job(kind=JobKind.BACKUP, actor=User.system())


def test_a_backup_that_fails_alarms_and_is_not_there(folder: Path, administrator: User) -> None:
    default_storage.delete("a.png")
    StoredFile.objects.create(name="b2.png", sha256="0" * 64, size=1)
    the_store().put("b2.png", lambda target: target.write(b"HVAULT\nbroken"))
    job = ask(JobKind.BACKUP)
    assert job.status == JobStatus.FAILED
    assert "header" in job.problem
    (event,) = events("vault.backup_failed")
    assert event.after
    assert event.after["problem"] == job.problem
    assert Notice.objects.filter(recipient=administrator, kind="vault.backup").count() == 1
    assert Copies(folder).ids() == []
    assert list_backups() == []


def test_says_once_that_the_newest_backup_is_too_old(folder: Path, administrator: User) -> None:
    ask(JobKind.BACKUP)
    assert not is_backup_late()
    with at(12, days=3):
        assert is_backup_late()
        schedule.tell_late()
        schedule.tell_late()
        assert len(events("vault.backup_late")) == 1
    assert Notice.objects.filter(recipient=administrator, kind="vault.backup").exists()


def test_a_backup_is_proved_and_a_spoilt_one_alarms(folder: Path) -> None:
    backup_id = ask(JobKind.BACKUP).result["id"]
    assert ask(JobKind.PROVING, subject=backup_id).result["damaged"] == []
    (line,) = list_backups()
    assert line.proved_at
    assert not line.damaged
    call_command("verify_backup", str(folder))

    blob = next(Copies(folder).files.glob("*/*"))
    blob.write_bytes(blob.read_bytes()[:-1])
    assert len(ask(JobKind.PROVING, subject=backup_id).result["damaged"]) == 1
    (line,) = list_backups()
    assert line.damaged == 1
    assert len(events("vault.backup_damaged")) == 1
    with pytest.raises(CommandError, match="NOT whole"):
        call_command("verify_backup", str(folder))
    with pytest.raises(WorkRefused, match="no backup of this name"):
        jobs.request_job(kind=JobKind.PROVING, actor=User.system(), subject="20200101-none")


def test_a_check_finds_what_is_lost_and_alarms(folder: Path, administrator: User) -> None:
    the_store().delete("a.png")
    job = ask(JobKind.CHECK, administrator)
    assert job.result["named"] == {"missing": ["a.png"]}
    (event,) = events("vault.unsound")
    assert event.after == {"missing": 1}
    assert Notice.objects.filter(recipient=administrator, kind="vault.unsound").exists()


def test_a_rotation_is_counted_key_by_key(folder: Path, administrator: User) -> None:
    former = keys.load_keyring().current
    new = make_new_key()
    StoredFile.objects.filter(pk="c.pdf").update(key_id="")
    seen = see_keys()
    counts = {use.key_id: use.files for use in seen.uses}
    assert counts == {new.name: 0, former.name: 2, "": 1}
    assert (seen.current, seen.left) == (0, 3)
    assert [file.name for file in seen.waiting] == ["a.png", "b.png", "c.pdf"]

    ask(JobKind.CHECK)
    assert StoredFile.objects.get(pk="c.pdf").key_id == former.name, "the file itself decides"
    ask(JobKind.ROTATION, administrator)
    assert (see_keys().current, see_keys().left) == (3, 0)


def test_only_one_worker_does_the_work(folder: Path) -> None:
    jobs.request_job(kind=JobKind.CHECK, actor=User.system())
    jobs.request_job(kind=JobKind.ROTATION, actor=User.system())
    first = jobs._claim()
    assert first
    assert first.kind == JobKind.CHECK
    assert jobs._claim() is None, "one at a time"
    VaultJob.objects.filter(pk=first.pk).update(lease_expires_at=timezone.now())
    again = jobs._claim()
    assert again
    assert (again.pk, again.attempt) == (first.pk, 2)
    with Holding(first) as former:
        former._renew()
        with pytest.raises(ClaimLost):
            former.note(1)


def test_work_whose_worker_dies_again_and_again_is_given_up(folder: Path) -> None:
    job = jobs.request_job(kind=JobKind.BACKUP, actor=User.system())
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs._claim()
        VaultJob.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now())
    jobs.work()
    job.refresh_from_db()
    assert (job.status, job.problem) == (JobStatus.FAILED, jobs.STOPPED)
    assert len(events("vault.backup_failed")) == 1


def test_asked_twice_it_is_the_same_work(folder: Path, administrator: User) -> None:
    first = jobs.request_job(kind=JobKind.CHECK, actor=administrator)
    assert jobs.request_job(kind=JobKind.CHECK, actor=User.system()) == first
    assert len(events("vault.work_requested")) == 1


def test_the_page_tells_how_everything_stands(
    folder: Path, administrator: User, client_for: Callable[[User], Client]
) -> None:
    browser = client_for(administrator)
    empty = words_of(browser.get(COPIES))
    assert "No backup yet" in empty
    assert "Never checked." in empty

    for kind in ("backup", "check"):
        assert browser.post(START, {"kind": kind}).status_code == 302
    waiting = browser.get(COPIES, headers={"HX-Request": "true"})
    assert b'hx-trigger="every 3s"' in waiting.content
    assert "waits for a worker" in words_of(waiting)
    jobs.work()
    jobs.work()

    page = browser.get(COPIES)
    words = words_of(page)
    assert "All there and whole" in words
    assert "All 3 files are under the current key." in words
    assert "when it was copied" in words
    assert b"hx-trigger" not in browser.get(COPIES, headers={"HX-Request": "true"}).content
    (line,) = list_backups()
    browser.post(START, {"kind": "proving", "backup": line.id})
    jobs.work()
    assert timezone.localtime().strftime("%Y") in words_of(browser.get(COPIES))
    assert list_backups()[0].proved_at


def test_the_page_refuses_what_it_does_not_know(
    folder: Path, administrator: User, client_for: Callable[[User], Client]
) -> None:
    browser = client_for(administrator)
    for sent, said in (
        ({"kind": "everything"}, "knows no such work"),
        ({"kind": "proving", "backup": "../.."}, "no backup of this name"),
    ):
        answer = browser.post(START, sent, follow=True)
        assert said in words_of(answer)
    assert not VaultJob.objects.exists()
