"""What a consultant sees of a referred case: nothing that the referrer didn't mean to show."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404

from classifier.enums import CellType, ImageKind
from classifier.models import Case, Cell, SmearImage
from classifier.selectors.cells import CellView, list_cells
from classifier.selectors.class_keys import SHORT_NAMES
from classifier.selectors.differential import Differential, count_cells
from classifier.selectors.gallery import Group, group_cells
from consultation import policies
from consultation.models import Opinion, Referral

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose blood it is."""

    name: str
    mrn: str
    birth_date: date
    accession_number: str


@dataclass(frozen=True, slots=True)
class BoxView:
    """A box on a field: where, what it holds, whose word that is."""

    cell_id: uuid.UUID
    x: int
    y: int
    width: int
    height: int
    cell_type: str
    letters: str
    state: str
    description: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field by its number, with the boxes of its white cells; its file's name stays out."""

    image_id: uuid.UUID
    number: int
    width: int
    height: int
    boxes: tuple[BoxView, ...]


@dataclass(frozen=True, slots=True)
class ReferredCase:
    """All that the page shows of a case; `identity` and `clinical_details` only where allowed."""

    referral: Referral
    is_outside: bool
    identity: Identity | None
    clinical_details: str
    age_years: int
    sex: str
    specimen: str
    stain: str
    differential: Differential
    groups: tuple[Group, ...]
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A consultant's referrals: to answer, answered and in sight, out of sight."""

    waiting: tuple[Referral, ...]
    answered: tuple[Referral, ...]
    ended: tuple[Referral, ...]


def list_consultations(user: "User") -> Shelf:
    """Return all that was ever referred to the user; of an ended one only when and by whom."""
    found = Referral.objects.addressed_to(user).select_related("referred_by")
    referrals = list(found.prefetch_related("opinions"))
    in_sight = [referral for referral in referrals if referral.is_open]
    return Shelf(
        waiting=tuple(each for each in in_sight if not each.opinions.all()),
        answered=tuple(each for each in in_sight if each.opinions.all()),
        ended=tuple(each for each in referrals if not each.is_open),
    )


def get_consultation(user: "User", referral_id: uuid.UUID) -> Referral:
    """Return a referral through which the user sees its case now; else Http404."""
    found = Referral.objects.visible_to(user).select_related(
        "case__patient", "case__specimen", "referred_by", "consultant"
    )
    own = Prefetch("opinions", Opinion.objects.order_by("given_at", "pk"))
    return get_object_or_404(found.prefetch_related(own), pk=referral_id)


def get_cell(referral: Referral, cell_id: uuid.UUID) -> Cell:
    """Return a cell of the referred case, with findings and image; else Http404."""
    cells = Cell.objects.filter(image__case=referral.case_id).for_review().with_findings()
    return get_object_or_404(cells.select_related("image"), pk=cell_id)


def get_field(referral: Referral, image_id: uuid.UUID) -> SmearImage:
    """Return a field of the referred case; else Http404."""
    fields = SmearImage.objects.filter(case=referral.case_id, kind=ImageKind.FIELD)
    return get_object_or_404(fields, pk=image_id)


def describe_case(referral: Referral, reader: "User") -> ReferredCase:
    """Return what the reader, to whom the case was referred, may see of it."""
    case = referral.case
    is_outside = not policies.sees_case_itself(reader, case)
    cells = list_cells(case)
    differential = count_cells(case, [cell.mark for cell in cells if not cell.fate])
    return ReferredCase(
        referral=referral,
        is_outside=is_outside,
        identity=_identity(case) if referral.shows_identity or not is_outside else None,
        clinical_details=(
            case.clinical_details if referral.shows_clinical_details or not is_outside else ""
        ),
        age_years=differential.age_years,
        sex=str(case.patient.get_sex_display()),
        specimen=case.specimen.get_specimen_type_display(),
        stain=case.specimen.get_stain_display(),
        differential=differential,
        groups=tuple(group for group in group_cells(cells) if group.cells),
        fields=_fields(case, cells),
    )


def _identity(case: Case) -> Identity:
    patient = case.patient
    return Identity(
        name=f"{patient.family_name}, {patient.given_name}",
        mrn=patient.mrn,
        birth_date=patient.birth_date,
        accession_number=case.accession_number,
    )


def _fields(case: Case, cells: Sequence[CellView]) -> tuple[FieldView, ...]:
    images = case.images.filter(kind=ImageKind.FIELD)
    return tuple(
        FieldView(
            image_id=image.pk,
            number=number,
            width=image.width,
            height=image.height,
            boxes=tuple(
                _box(cell) for cell in cells if cell.image_id == image.pk and cell.fate != "removed"
            ),
        )
        for number, image in enumerate(images, start=1)
    )


def _box(cell: CellView) -> BoxView:
    x0, y0, x1, y1 = cell.box
    is_open = cell.mark.is_unresolved
    shown = (is_open and cell.suggestion) or cell.finding
    letters = SHORT_NAMES[shown]
    return BoxView(
        cell_id=cell.id,
        x=x0,
        y=y0,
        width=x1 - x0,
        height=y1 - y0,
        cell_type=CellType(shown).value,
        letters=f"{letters}?" if is_open else letters,
        state=cell.state,
        description=cell.description,
    )
