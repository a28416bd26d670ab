"""Fixed words of the work on stored files and copies."""

from django.db import models


class JobKind(models.TextChoices):
    """What a worker does with stored files and copies."""

    BACKUP = "backup", "Backup"
    PROVING = "proving", "Verification of a backup"
    CHECK = "check", "Check of the stored files"
    ROTATION = "rotation", "Bringing files under the current key"


class JobStatus(models.TextChoices):
    """How far such work is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "At work"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
