"""What a shadow trial shows: agreement with the live version, and with what was signed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import OuterRef, Subquery

from accounts.models import User
from classifier.enums import CaseStatus, CellType
from classifier.findings import likeliest
from classifier.models import Case, Correction, Prediction
from learning.enums import WorkStatus
from learning.models import ShadowPrediction, ShadowTrial
from ml.metrics import Share
from ml.report.comparison import mcnemar

PICTURES_SHOWN = 48
_SIGNED = (CaseStatus.SIGNED_OFF, CaseStatus.AMENDING)


@dataclass(frozen=True, slots=True)
class Pair:
    """One live cell: what each of the two calls it, and what was signed ("" if nothing yet)."""

    cell_id: Any
    case_id: Any
    live: str
    shadow: str
    live_referred: bool
    shadow_referred: bool
    signed: str


@dataclass(frozen=True, slots=True)
class ShadowPage:
    """A trial in figures: how often the two agree, where they don't, and who is right."""

    trial: ShadowTrial
    images: int
    failures: Sequence[Any]
    milliseconds: float | None
    cells: int
    agreement: Mapping[str, Any]
    referred: tuple[Mapping[str, Any], Mapping[str, Any]]
    disagreements: Sequence[tuple[str, str, int]]
    pictures: Sequence[Pair]
    signed: "SignedTruth | None"


@dataclass(frozen=True, slots=True)
class SignedTruth:
    """Both held against the classes that pathologists signed."""

    cells: int
    live: Mapping[str, Any]
    shadow: Mapping[str, Any]
    classes: Sequence[tuple[str, int, Mapping[str, Any], Mapping[str, Any]]]
    test: Mapping[str, Any]


def get_shadow(user: User, trial: ShadowTrial) -> ShadowPage:
    """Return the figures of a trial; pictures only of cases that the reader may see."""
    pairs = _pairs(trial)
    differing = [pair for pair in pairs if pair.live != pair.shadow]
    counts = Counter((pair.live, pair.shadow) for pair in differing)
    done = trial.readings.filter(status=WorkStatus.DONE)
    times = [value for value in done.values_list("milliseconds", flat=True) if value is not None]
    return ShadowPage(
        trial=trial,
        images=len(times),
        failures=list(trial.readings.filter(status=WorkStatus.FAILED)[:5]),
        milliseconds=float(np.median(times)) if times else None,
        cells=len(pairs),
        agreement=Share(len(pairs) - len(differing), len(pairs)).as_dict(),
        referred=(_share(pair.live_referred for pair in pairs),
                  _share(pair.shadow_referred for pair in pairs)),
        disagreements=[(live, other, count) for (live, other), count in counts.most_common()],
        pictures=_visible(user, differing)[:PICTURES_SHOWN],
        signed=_against_signed([pair for pair in pairs if pair.signed]),
    )  # fmt: skip


def _share(claims: Any) -> dict[str, Any]:
    listed = list(claims)
    return Share(sum(listed), len(listed)).as_dict()


def _pairs(trial: ShadowTrial) -> list[Pair]:
    """Every cell that both named, by what each finds likeliest."""
    live = Prediction.objects.filter(run=OuterRef("reading__run"), cell=OuterRef("cell"))
    named = Correction.objects.filter(cell=OuterRef("cell")).order_by("-pk")
    found = (
        ShadowPrediction.objects.filter(reading__trial=trial)
        .annotate(
            live_type=Subquery(live.values("cell_type")[:1]),
            live_chances=Subquery(live.values("probabilities")[:1]),
            live_referred=Subquery(live.values("is_referred")[:1]),
            human_type=Subquery(named.values("cell_type")[:1]),
        )
        .select_related("cell__image__case")
    )
    return [_pair(each) for each in found.order_by("-pk")]


def _pair(row: Any) -> Pair:
    case = row.cell.image.case
    is_signed = case.status in _SIGNED
    machine = "" if row.live_referred else row.live_type
    signed = (row.human_type or machine) if is_signed else ""
    return Pair(
        cell_id=row.cell_id,
        case_id=case.pk,
        live=likeliest(row.live_chances) or row.live_type,
        shadow=row.likeliest,
        live_referred=bool(row.live_referred),
        shadow_referred=row.is_referred,
        signed="" if signed == CellType.UNIDENTIFIED else signed,
    )


def _visible(user: User, pairs: Sequence[Pair]) -> list[Pair]:
    cases = {pair.case_id for pair in pairs}
    seen = set(Case.objects.visible_to(user).filter(pk__in=cases).values_list("pk", flat=True))
    return [pair for pair in pairs if pair.case_id in seen]


def _against_signed(pairs: Sequence[Pair]) -> SignedTruth | None:
    if not pairs:
        return None
    live = np.array([pair.live == pair.signed for pair in pairs])
    shadow = np.array([pair.shadow == pair.signed for pair in pairs])
    truth = np.array([pair.signed for pair in pairs])
    return SignedTruth(
        cells=len(pairs),
        live=_share(live.tolist()),
        shadow=_share(shadow.tolist()),
        classes=[
            (name, int((truth == name).sum()), _share(live[truth == name].tolist()),
             _share(shadow[truth == name].tolist()))
            for name in CellType.values
            if (truth == name).any()
        ],
        test=mcnemar(shadow, live),
    )  # fmt: skip
