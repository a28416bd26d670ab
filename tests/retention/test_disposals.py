"""Disposing of what is due: two people, a hold that wins, a worker that may be killed anywhere."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts.chain import verify_chain
from accounts.history.explaining import unexplained
from accounts.models import AuditEvent, RowChange, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Slide, SmearImage
from classifier.services.registering_again import register_again
from retention.enums import ItemState, RecordType
from retention.models import Disposal, DisposalItem
from retention.services import carrying_out
from retention.services.carrying_out import carry_out_disposals, decide
from retention.services.disposals import approve_disposal, propose_disposal, withdraw_disposal
from retention.services.rules import retire_rule
from tests.clinical import MakeImage
from tests.merging import STRANGER, at_once, case_of, register
from tests.retention.steps import day_rule, dispose, end, hold, propose, travel
from vault.copies import Copies
from vault.exceptions import Disposed, StoreAway
from vault.keys import load_keyring
from vault.models import StoredFile
from vault.services.backups import back_up
from vault.services.checking import check_files
from vault.stores.disk import DiskStore


@pytest.fixture
def ended(case: Case, technician: User, add_picture: MakeImage) -> Case:
    """A rejected case with two pictures."""
    for _ in range(2):
        add_picture(case)
    return end(case, technician)


@pytest.fixture
def later(ended: Case, administrator: User, keeper: User) -> Iterator[Case]:
    """Three days after it was rejected, its pictures being kept for one."""
    day_rule(administrator, keeper)
    with travel(days=3):
        yield ended


def names(case: Case) -> list[str]:
    images = SmearImage.objects.filter(case=case)
    return [str(name) for pair in images.values_list("file", "thumbnail") for name in pair]


def states(disposal: Disposal) -> list[str]:
    return sorted(disposal.items.values_list("state", flat=True))


class TestProposing:
    def test_lists_each_image_with_its_rule(self, later: Case, administrator: User) -> None:
        disposal = propose(administrator, later)
        assert states(disposal) == ["waiting", "waiting"]
        event = AuditEvent.objects.get(action="disposal.proposed")
        assert event.after == {"record_type": "cell_images", "cases": 1, "items": 2}

    def test_the_same_form_twice_is_one(self, later: Case, administrator: User) -> None:
        number = uuid.uuid4()
        first, again = (
            propose_disposal(
                actor=administrator,
                kind=RecordType.CELL_IMAGES,
                disposal_id=number,
                cases=[later.pk],
            )
            for _ in range(2)
        )
        assert first == again
        assert Disposal.objects.count() == 1

    def test_refuses_what_is_not_due(self, ended: Case, administrator: User, keeper: User) -> None:
        day_rule(administrator, keeper)
        with pytest.raises(EditConflict, match="Nothing was proposed"):
            propose(administrator, ended)

    def test_refuses_what_another_proposal_has(self, later: Case, administrator: User) -> None:
        propose(administrator, later)
        with pytest.raises(EditConflict):
            propose(administrator, later)

    def test_is_withdrawn_with_a_reason(
        self, later: Case, administrator: User, keeper: User
    ) -> None:
        disposal = propose(administrator, later)
        with pytest.raises(GuardFailed, match="reason"):
            withdraw_disposal(actor=keeper, disposal_id=disposal.pk, reason=" ")
        withdraw_disposal(actor=keeper, disposal_id=disposal.pk, reason="Too early.")
        with pytest.raises(GuardFailed, match="withdrawn"):
            approve_disposal(actor=keeper, disposal_id=disposal.pk)
        assert propose(administrator, later).items.count() == 2

    @pytest.mark.parametrize("who", ["technician", "pathologist"])
    def test_others_neither_propose_nor_approve(
        self, later: Case, administrator: User, who: str, request: pytest.FixtureRequest
    ) -> None:
        actor = request.getfixturevalue(who)
        with pytest.raises(NotPermitted):
            propose(actor, later)
        disposal = propose(administrator, later)
        with pytest.raises(NotPermitted):
            approve_disposal(actor=actor, disposal_id=disposal.pk)


class TestCarryingOut:
    def test_files_go_and_rows_stay_with_the_rule(
        self, later: Case, administrator: User, keeper: User
    ) -> None:
        there = names(later)
        disposal = dispose(administrator, keeper, later)
        assert (states(disposal), disposal.is_in_work) == (["erased", "erased"], False)
        assert not any(default_storage.exists(name) for name in there)
        image = later.images.all()[0]
        assert image.disposed_because.startswith("Images of single cells, 1 day, version 1")
        with pytest.raises(Disposed, match="under the rule: Images of single cells"):
            image.file.open("rb")
        event = AuditEvent.objects.filter(action="image.disposed").latest("at")
        assert event.before
        assert event.after
        assert event.before["original_sha256"] in {
            row.original_sha256 for row in later.images.all()
        }
        assert (event.before["files"], event.after["disposal"]) == (2, str(disposal.pk))
        assert event.patient_id == later.patient_id

    def test_nothing_happens_before_somebody_else_approves(
        self, later: Case, administrator: User
    ) -> None:
        disposal = propose(administrator, later)
        with pytest.raises(NotPermitted, match="somebody else"):
            approve_disposal(actor=administrator, disposal_id=disposal.pk)
        assert carry_out_disposals() == 0
        assert all(default_storage.exists(name) for name in names(later))

    @pytest.mark.parametrize("held", ["case", "patient"])
    def test_a_hold_between_approval_and_work_wins(
        self, later: Case, administrator: User, keeper: User, held: str
    ) -> None:
        disposal = propose(administrator, later)
        approve_disposal(actor=keeper, disposal_id=disposal.pk)
        hold(administrator, later if held == "case" else later.patient)
        assert carry_out_disposals() == 1
        assert states(disposal) == ["kept", "kept"]
        assert disposal.items.all()[0].why == "A legal hold is on the record."
        assert all(default_storage.exists(name) for name in names(later))
        assert AuditEvent.objects.get(action="disposal.finished").after == {"kept": 2}
        told = [event.after for event in AuditEvent.objects.filter(action="disposal.held_back")]
        why = {"A legal hold is on the record.": 1}
        assert told == [{"disposal": str(disposal.pk), "why": why}] * 2

    def test_a_rule_that_was_retired_meanwhile_disposes_of_nothing(
        self, later: Case, administrator: User, keeper: User
    ) -> None:
        disposal = propose(administrator, later)
        approve_disposal(actor=keeper, disposal_id=disposal.pk)
        retire_rule(actor=keeper, rule_id=disposal.items.all()[0].rule_id, reason="The law.")
        carry_out_disposals()
        assert states(disposal) == ["kept", "kept"]

    def test_doing_it_again_changes_nothing(
        self, later: Case, administrator: User, keeper: User
    ) -> None:
        disposal = dispose(administrator, keeper, later)
        before = AuditEvent.objects.count()
        assert carry_out_disposals() == 0
        for item in disposal.items.all():
            decide(item.pk)
            carrying_out.erase_item(item.pk)
        assert AuditEvent.objects.count() == before

    def test_shared_pictures_go_from_both_cases_at_once(
        self, later: Case, technician: User, administrator: User, keeper: User
    ) -> None:
        right = register(technician, STRANGER)
        again = end(
            register_again(
                case_id=later.pk, actor=technician, right_id=right.pk, reason="Another's blood."
            ),
            technician,
        )
        with travel(days=3):
            disposal = dispose(administrator, keeper, later, again)
        assert states(disposal) == ["erased", "erased", "kept", "kept"]
        assert not SmearImage.objects.filter(disposed_at=None).exists()
        assert AuditEvent.objects.filter(action="image.disposed").count() == 4
        assert not any(default_storage.exists(name) for name in names(again))

    def test_slides_go_with_all_their_pieces(
        self, slide: Slide, technician: User, administrator: User, keeper: User
    ) -> None:
        end(slide.case, technician)
        day_rule(administrator, keeper, record_type="slides")
        with travel(days=3):
            disposal = dispose(administrator, keeper, slide.case, kind=RecordType.SLIDES)
        assert states(disposal) == ["erased"]
        left = StoredFile.objects.under(slide.folder)
        assert left.exists()
        assert not any(default_storage.exists(row.name) for row in left)
        slide.refresh_from_db()
        assert slide.disposed_at is not None


class TestBeingStopped:
    """The transaction that decides is for good; erasing is begun again."""

    @pytest.fixture
    def approved(self, later: Case, administrator: User, keeper: User) -> Disposal:
        """An approved disposal of two pictures that no worker has begun."""
        disposal = propose(administrator, later)
        return approve_disposal(actor=keeper, disposal_id=disposal.pk)

    def go_on(self, disposal: Disposal) -> None:
        """Have another worker go on once the lease has run out."""
        Disposal.objects.update(lease_expires_at=None)
        assert carry_out_disposals() == 1
        assert states(disposal) == ["erased", "erased"]
        assert AuditEvent.objects.filter(action="image.disposed").count() == 2

    @pytest.mark.parametrize(
        ("where", "what"),
        [(carrying_out, "erase_item"), (DiskStore, "delete")],
        ids=["between decision and erasing", "between the key and the file"],
    )
    def test_a_worker_that_is_killed_is_followed_by_another(
        self,
        approved: Disposal,
        later: Case,
        monkeypatch: pytest.MonkeyPatch,
        where: object,
        what: str,
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(where, what, _killed)
            with pytest.raises(KeyboardInterrupt):
                carry_out_disposals()
        assert states(approved) == ["decided", "waiting"]
        assert all(default_storage.exists(name) for name in names(later))
        assert "disposed of and still there" in check_files(progress=lambda _: None).found
        assert carry_out_disposals() == 0, "another worker is taken to be at it"
        self.go_on(approved)
        assert not any(default_storage.exists(name) for name in names(later))

    def test_a_store_that_does_not_answer_is_asked_again(
        self, approved: Disposal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(DiskStore, "destroy", _away)
            assert carry_out_disposals() == 0
        self.go_on(approved)


@pytest.mark.django_db(transaction=True)
def test_afterwards_chain_export_files_and_history_are_sound(
    later: Case, administrator: User, keeper: User, tmp_path: Path
) -> None:
    dispose(administrator, keeper, later)
    assert verify_chain().is_sound
    checked = check_files(progress=lambda _: None)
    assert (checked.is_sound, checked.found, checked.disposed) == (True, {}, 4)
    call_command("export_audit", str(tmp_path / "trail.jsonl.gz"))
    from tools.verify_audit_export import main

    assert main([str(tmp_path / "trail.jsonl.gz")]) == 0
    assert RowChange.objects.filter(table_name="retention_disposalitem").exists()
    changed = unexplained().exclude(table_name__startswith="accounts_user")
    assert list(changed) == []


@pytest.mark.django_db(transaction=True)
def test_a_backup_lacks_nothing_and_copies_nothing_that_is_gone(
    later: Case, administrator: User, keeper: User, add_picture: MakeImage, tmp_path: Path
) -> None:
    kept = add_picture(case_of(later.patient, later.registered_by))
    dispose(administrator, keeper, later)
    made = back_up(tmp_path / "copies", progress=lambda _: None)
    manifest = Copies(tmp_path / "copies").read(made.id, load_keyring())
    assert {file.name for file in manifest.files} == {kept.file.name, kept.thumbnail.name}
    assert manifest.gone == []


@pytest.mark.django_db(transaction=True)
def test_a_hold_at_the_same_moment_is_first_or_too_late_but_never_both(
    later: Case, administrator: User, keeper: User
) -> None:
    disposal = propose(administrator, later)
    approve_disposal(actor=keeper, disposal_id=disposal.pk)
    item = disposal.items.all()[0]
    at_once(lambda: decide(item.pk), lambda: hold(administrator, later.patient))
    item.refresh_from_db()
    assert item.image is not None
    gone = SmearImage.objects.get(pk=item.image.pk).disposed_at is not None
    assert (item.state == ItemState.DECIDED) == gone
    put = AuditEvent.objects.get(action="legal_hold.put").at
    assert item.decided_at is not None
    assert gone or (item.state, item.decided_at > put) == (ItemState.KEPT, True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_item_decide_it_once(
    later: Case, administrator: User, keeper: User
) -> None:
    disposal = propose(administrator, later)
    approve_disposal(actor=keeper, disposal_id=disposal.pk)
    item = disposal.items.all()[0]
    steps: list[Callable[[], object]] = [lambda: decide(item.pk), lambda: decide(item.pk)]
    assert all(isinstance(done, DisposalItem) for done in at_once(*steps))
    assert AuditEvent.objects.filter(action="image.disposed").count() == 1


def _killed(*_args: object, **_more: object) -> None:
    raise KeyboardInterrupt


def _away(*_args: object, **_more: object) -> None:
    raise StoreAway("The store does not answer.")


def test_the_tombstone_says_nothing_of_the_patient(
    later: Case, administrator: User, keeper: User
) -> None:
    dispose(administrator, keeper, later)
    said = json.dumps(list(AuditEvent.objects.filter(action="image.disposed").values("payload")))
    assert later.patient.family_name not in said
    assert later.patient.mrn not in said
