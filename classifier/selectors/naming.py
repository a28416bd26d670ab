"""What is known of a case's cells by name: certain where a human spoke, else the machine's word."""

from collections import Counter
from collections.abc import Sequence

from classifier.findings import Mark
from classifier.misclassification import Evidence
from classifier.models import Case, ModelVersion

NO_CONFUSION = "the model's release doesn't state how often it takes one class for another"
MANY_MODELS = "the cells were read by several models"


def count_unconfirmed(marks: Sequence[Mark]) -> int:
    """Return the number of cells that only the machine named, and was sure of."""
    return sum(_is_unconfirmed(mark) for mark in marks)


def gather_evidence(case: Case, marks: Sequence[Mark]) -> Evidence | str:
    """Return what tells the classes of the case's cells, or the reason why it can't be told."""
    models = list(
        ModelVersion.objects.filter(runs__image__case=case, runs__predictions__isnull=False)
        .order_by("pk")
        .distinct()
    )
    if len(models) > 1:
        return MANY_MODELS
    if not models or models[0].confusion_of_accepted is None:
        return NO_CONFUSION
    return evidence_of(models[0], marks)


def evidence_of(model: ModelVersion, marks: Sequence[Mark]) -> Evidence:
    """Sort the marks: a word that isn't the model's (the detector's platelet) is taken for true."""
    names = set(model.class_names)
    unconfirmed = Counter(
        mark.machine_type for mark in marks if _is_unconfirmed(mark) and mark.machine_type in names
    )
    named = Counter(
        (mark.human_type, mark.machine_type)
        for mark in marks
        if mark.human_type and mark.machine_type in names and not mark.is_referred
    )
    return Evidence(
        class_names=tuple(model.class_names),
        confusion=tuple(map(tuple, model.confusion_of_accepted or ())),
        unconfirmed=unconfirmed,
        named=named,
        known=Counter(mark.finding for mark in marks) - unconfirmed,
    )


def _is_unconfirmed(mark: Mark) -> bool:
    return bool(mark.machine_type) and not mark.human_type and not mark.is_referred
