"""Putting a version in use, and going back in one step: named, proven, and written for good."""

from dataclasses import dataclass

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ModelVersion
from classifier.services.model_versions import activate_version
from learning import policies
from learning.enums import PromotionKind, SetKind, SetState
from learning.models import Comparison, LabelledSet, Promotion
from learning.selectors.standing import version_before
from learning.services.rules import rule_in_force
from learning.services.shadow import end_shadow
from reports.services.reauthentication import Reauthentication

REASON_LIMIT = 500
NAME_LIMIT = 100

_ACTIONS = {
    PromotionKind.PROMOTED: "model.promoted",
    PromotionKind.OVERRIDDEN: "model.promoted",
    PromotionKind.ROLLED_BACK: "model.rolled_back",
    PromotionKind.BY_COMMAND: "model.put_in_use_by_command",
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """What speaks for a promotion, and what still stands in its way, in sentences."""

    comparisons: tuple[Comparison, ...]
    obstacles: tuple[str, ...]

    @property
    def is_overridden(self) -> bool:
        """True where a refusal was overridden."""
        return any(each.is_refused for each in self.comparisons)


def grounds_for(version: ModelVersion, actor: User) -> Grounds:
    """Return how a candidate stands against the version in use, by the rule in force.

    On every frozen golden set, and there must be one, it has to be compared. No comparison, on a
    golden set or another source, may refuse it, unless somebody other than the promoter overrode
    that.
    """
    incumbent = ModelVersion.objects.filter(is_active=True).first()
    if incumbent is None:
        return Grounds((), ())
    if incumbent.pk == version.pk:
        return Grounds((), ("It is in use already.",))
    made = Comparison.objects.filter(
        candidate=version,
        incumbent=incumbent,
        rule=rule_in_force(),
        evaluation__labelled_set__state=SetState.FROZEN,
    )
    comparisons = tuple(
        made.select_related("evaluation__labelled_set", "override__by", "incumbent", "rule")
    )
    obstacles = [*_missing(comparisons), *_refusals(comparisons, actor)]
    return Grounds(comparisons, tuple(obstacles))


@transaction.atomic
def promote(
    *, version_id: int, reason: str, actor: User, reauthentication: Reauthentication
) -> Promotion:
    """Have cases submitted from now on read by this version, in the actor's name.

    Cases in flight keep the version that they began with. An open shadow trial of it ends.

    Raises:
        NotPermitted: the actor doesn't manage models, or gave no password just now.
        GuardFailed: no reason is given, or something stands in the way; it is said what.
    """
    _check(actor, reason, reauthentication)
    version = ModelVersion.objects.select_for_update().get(pk=version_id)
    grounds = grounds_for(version, actor)
    if grounds.obstacles:
        raise GuardFailed(" ".join(grounds.obstacles))
    kind = PromotionKind.OVERRIDDEN if grounds.is_overridden else PromotionKind.PROMOTED
    made = _put_in_use(version, kind, reason, actor, reauthentication)
    made.comparisons.set(grounds.comparisons)
    _end_trials(version, actor)
    return made


@transaction.atomic
def roll_back(*, reason: str, actor: User, reauthentication: Reauthentication) -> Promotion:
    """Put the version in use that was in use right before; it needs no new comparison.

    Raises:
        NotPermitted: the actor doesn't manage models, or gave no password just now.
        GuardFailed: no reason is given, or nothing was in use before.
    """
    _check(actor, reason, reauthentication)
    active = ModelVersion.objects.select_for_update().filter(is_active=True).first()
    former = version_before(active) if active else None
    if former is None:
        raise GuardFailed("Nothing was in use before.")
    return _put_in_use(former, PromotionKind.ROLLED_BACK, reason, actor, reauthentication)


@transaction.atomic
def put_in_use_by_command(*, version_id: int, reason: str, operator: str) -> Promotion | None:
    """Have cases read by this version, as whoever runs commands on the site's machine wants it.

    Nothing has to be compared, and there is no password: so the system approves it, under the name
    of the machine's account, and everybody is told. None where the version is in use already.

    Raises:
        GuardFailed: no reason is given, or nobody knows who runs the command.
    """
    if not 0 < len(reason.strip()) <= REASON_LIMIT or not 0 < len(operator.strip()) <= NAME_LIMIT:
        raise GuardFailed(
            f"Give a reason of at most {REASON_LIMIT} characters, and say who puts it in use."
        )
    version = ModelVersion.objects.select_for_update().get(pk=version_id)
    if version.is_active:
        return None
    actor = User.system()
    made = _put_in_use(version, PromotionKind.BY_COMMAND, reason, actor, operator=operator)
    _end_trials(version, actor)
    return made


def _end_trials(version: ModelVersion, actor: User) -> None:
    for trial in version.trials.filter(ended_at=None):
        end_shadow(trial_id=trial.pk, actor=actor, reason="It was promoted.")


def _put_in_use(
    version: ModelVersion,
    kind: PromotionKind,
    reason: str,
    actor: User,
    proof: Reauthentication | None = None,
    operator: str = "",
) -> Promotion:
    replaced = ModelVersion.objects.filter(is_active=True).first()
    activate_version(version_id=version.pk, actor=actor, reason=reason)
    made = Promotion.objects.create(
        version=version,
        replaced=replaced,
        kind=kind,
        reason=reason.strip(),
        approved_by=actor,
        reauthenticated_by=proof.method if proof else "",
        reauthenticated_at=proof.at if proof else None,
        operator=operator.strip(),
    )
    record(
        actor=actor,
        action=_ACTIONS[kind],
        target=version,
        before={"in_use": str(replaced) if replaced else None},
        after={"in_use": str(version), "kind": kind, "promotion": made.pk}
        | ({"operator": made.operator} if made.operator else {}),
        reason=reason,
    )
    return made


def _check(actor: User, reason: str, proof: Reauthentication) -> None:
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    if not proof.is_valid_for(actor):
        raise NotPermitted("Give your password again.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")


def _missing(comparisons: tuple[Comparison, ...]) -> list[str]:
    golden = LabelledSet.objects.filter(kind=SetKind.GOLDEN, state=SetState.FROZEN)
    compared = {each.evaluation.labelled_set_id for each in comparisons}
    if not golden:
        return ["There is no frozen golden set to compare on."]
    return [f"It was not compared on {each} yet." for each in golden if each.pk not in compared]


def _refusals(comparisons: tuple[Comparison, ...], actor: User) -> list[str]:
    """Refusals that nobody overrode, or whose overriding the promoter did himself."""
    told = []
    for each in comparisons:
        override = getattr(each, "override", None)
        if each.is_refused and override is None:
            told.append(f"It was refused on {each.evaluation.labelled_set}.")
        elif override and override.by_id == actor.pk:
            told.append("You overrode the refusal yourself: somebody else has to promote it.")
    return told
