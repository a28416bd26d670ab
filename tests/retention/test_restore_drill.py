"""The drill: a laboratory that disposed of pictures is restored from before and from after."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.models import Case, SmearImage, Specimen
from tests.clinical import MakeImage
from tests.retention.steps import day_rule, dispose, end
from tests.vault.elsewhere import Elsewhere, back_up, elsewhere, folder

__all__ = ["elsewhere", "folder"]

pytestmark = pytest.mark.django_db(transaction=True)

GONE = {"picture": "disposed of", "files": True, "chain": True, "export": True}
THERE = GONE | {"picture": "there"}


@pytest.fixture
def image(
    case: Case, technician: User, add_picture: MakeImage, administrator: User, keeper: User
) -> SmearImage:
    """A picture of a rejected case whose specimen came a week ago; it is kept for a day."""
    week = timezone.now() - timedelta(days=7)
    Specimen.objects.filter(case=case).update(collected_at=week, received_at=week)
    added = add_picture(case)
    end(case, technician)
    day_rule(administrator, keeper, counts_from="received")
    return added


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text("correct horse battery staple\n")
    return path


def restore(there: Elsewhere, folder: Path, words: Path, *arguments: str) -> dict[str, Any]:
    """Restore a backup on another machine, and return how the laboratory stands there."""
    done = there.restore(folder, "--passphrase-file", str(words))
    assert done.returncode == 0, done.stderr
    told = there.run("-m", "tests.retention.restored", *arguments, str(folder))
    assert told.returncode == 0, told.stderr
    standing: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return standing


def test_what_was_disposed_of_stays_gone_after_a_restore(
    image: SmearImage, folder: Path, words: Path, elsewhere: Elsewhere,
    administrator: User, keeper: User,
) -> None:  # fmt: skip
    dispose(administrator, keeper, image.case)
    back_up(folder, passphrase_file=words)
    people = (administrator.email, keeper.email)
    assert restore(elsewhere, folder, words, str(image.pk), *people) == {"first": GONE, "due": 0}


def test_after_an_older_backup_it_is_there_due_and_disposed_of_again(
    image: SmearImage, folder: Path, words: Path, elsewhere: Elsewhere,
    administrator: User, keeper: User,
) -> None:  # fmt: skip
    back_up(folder, passphrase_file=words)
    dispose(administrator, keeper, image.case)
    people = (administrator.email, keeper.email)
    assert restore(elsewhere, folder, words, str(image.pk), *people) == {
        "first": THERE,
        "due": 1,
        "then": GONE,
    }
