"""Classification runs: queue, claim, record, fail, reap."""

from classifier import dispatch
from classifier.enums import OPEN_RUN_STATUSES, RunStatus
from classifier.exceptions import GuardFailed
from classifier.models import Case, ClassificationRun, ModelVersion


def queue_runs(case: Case) -> None:
    """Queue a run of the active model for every image that it has not read yet.

    Images that it read before, or is reading, keep their run. Call with the case's row locked;
    workers hear of it when the transaction commits.

    Raises:
        GuardFailed: no model is active.
    """
    model = ModelVersion.objects.filter(is_active=True).first()
    if model is None:
        raise GuardFailed("No classifier is active; ask your administrator to activate one.")
    read = ClassificationRun.objects.filter(
        model_version=model, status__in=(*OPEN_RUN_STATUSES, RunStatus.SUCCEEDED)
    )
    unread = case.images.exclude(pk__in=read.filter(image__case=case).values("image_id"))
    ClassificationRun.objects.bulk_create(
        ClassificationRun(image=image, model_version=model) for image in unread
    )
    dispatch.classify_waiting_runs()
