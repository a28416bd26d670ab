"""The drill: a laboratory is copied, lost, and restored elsewhere, with nothing missing."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, User
from reports.models import Report
from reports.services.sign_off import sign_off_case
from tests.factories import PASSWORD
from tests.reports.conftest import ANSWERS, intent_for, proof_of
from tests.reviewing import MakeCase
from tests.spoiling import spoil
from tests.vault.elsewhere import Elsewhere, back_up, elsewhere, folder
from vault import keys
from vault.copies import DATABASE, MANIFEST, Copies
from vault.models import StoredFile

__all__ = ["elsewhere", "folder"]

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "correct horse battery staple"


@pytest.fixture
def report(classified_case: MakeCase, pathologist: User) -> Report:
    """A signed report of a laboratory that has people, pictures and an audit trail."""
    case = classified_case(ANSWERS, in_review=True)
    return sign_off_case(
        case_id=case.pk,
        actor=pathologist,
        intent=intent_for(case),
        reauthentication=proof_of(pathologist),
    )


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text(f"{WORDS}\n")
    return path


def test_a_lost_laboratory_is_restored_and_proves_it(
    report: Report, pathologist: User, folder: Path, passphrase: Path, elsewhere: Elsewhere
) -> None:
    stored = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert stored
    assert all(path.read_bytes().startswith(b"HVAULT") for path in stored), "nothing lies plain"
    said = back_up(folder, passphrase_file=passphrase)
    assert f"the database and {StoredFile.objects.count()} files" in said

    done = elsewhere.restore(folder, "--passphrase-file", str(passphrase))

    assert done.returncode == 0, done.stderr
    assert "each table as it was copied" in done.stdout
    assert "sound, up to the head that was copied" in done.stdout
    visit = elsewhere.run("-m", "tests.vault.visit", pathologist.email, PASSWORD, str(report.pk))
    assert visit.returncode == 0, visit.stderr
    told = json.loads(visit.stdout.splitlines()[-1])
    assert told == {"entry": 302, "page": 200, "pdf": report.pdf_sha256}
    checked = elsewhere.run("manage.py", "check_vault")
    assert "All stored files are there and whole." in checked.stdout
    audited = elsewhere.run("manage.py", "verify_audit")
    assert "The audit trail is sound." in audited.stdout

    again = elsewhere.restore(folder)
    assert again.returncode == 1
    assert "not empty; nothing was changed" in again.stderr


def test_files_are_copied_once_and_old_backups_go(report: Report, folder: Path) -> None:
    first = back_up(folder)
    default_storage.save("images/new.png", ContentFile(b"new" * 1000))
    default_storage.save("images/old.png", ContentFile(b"old" * 1000))
    second = back_up(folder)
    default_storage.delete("images/old.png")
    third = back_up(folder, keep=1)

    count = StoredFile.objects.count()
    assert f"{count - 1} files, {count - 1} of them copied" in first
    assert f"{count + 1} files, 2 of them copied" in second
    assert f"{count} files, 0 of them copied" in third
    assert "2 older backups were removed" in third
    copies = Copies(folder)
    assert len(copies.ids()) == 1
    assert len(list(copies.files.glob("*/*"))) == count
    events = AuditEvent.objects.filter(action="vault.backed_up")
    assert [event.after and event.after["copied"] for event in events.order_by("at")] == [
        count - 1, 2, 0,
    ]  # fmt: skip


def test_a_copy_shows_nothing_to_who_lacks_the_keys(
    report: Report, folder: Path, passphrase: Path
) -> None:
    patient = report.case.patient
    patient.family_name = "Featherstonehaugh"  # too long to stand in sealed bytes by chance
    patient.save()
    back_up(folder, passphrase_file=passphrase)

    names = [patient.family_name, patient.mrn]
    key = keys.load_keyring().current
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(name.encode() in data for name in names), path
            assert key.secret not in data
            assert key.as_text().encode() not in data


def refusal(folder: Path, **options: object) -> str:
    """Try to restore into this laboratory, which lives; return what is said."""
    with pytest.raises(CommandError) as refused:
        call_command("restore", str(folder), **options)
    return str(refused.value)


def test_what_was_done_to_a_copy_is_noticed(report: Report, folder: Path, passphrase: Path) -> None:
    back_up(folder, passphrase_file=passphrase)
    copies = Copies(folder)
    (backup_id,) = copies.ids()
    assert "not empty; nothing was changed" in refusal(folder)
    assert "no whole backup 2020" in refusal(folder, backup="2020")

    passphrase.write_text("these are not the words")
    assert "The passphrase is not that" in refusal(folder, passphrase_file=passphrase)

    blob = next(copies.files.glob("*/*"))
    whole = blob.read_bytes()
    blob.write_bytes(whole[:-1])
    assert "The backup lacks" in refusal(folder)
    blob.write_bytes(whole)

    dump = copies.backups / backup_id / DATABASE
    spoil(dump)
    assert "database is missing or was altered" in refusal(folder)

    manifest = copies.backups / backup_id / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"form": 1', b'"form":  1'))
    assert "was altered" in refusal(folder)
    assert Report.objects.filter(pk=report.pk).exists()


def test_refuses_what_it_could_not_copy(report: Report, folder: Path) -> None:
    short = folder.parent / "short"
    short.write_text("short")
    with pytest.raises(CommandError, match="16 characters"):
        call_command("backup", str(folder), passphrase_file=short)

    path = Path(report.pdf.path)
    spoil(path)
    with pytest.raises(CommandError, match="No backup was made"):
        back_up(folder)
    StoredFile.objects.filter(pk=report.pdf.name).delete()
    with pytest.raises(CommandError, match="1 files are on no list"):
        back_up(folder)
    assert Copies(folder).ids() == []
    assert not list((folder / "backups").iterdir())
