"""Closed vocabularies of the quality boards."""

from django.db import models


class TargetBasis(models.TextChoices):
    """Where the values of a control's target come from."""

    ENTERED = "entered", "Entered by the laboratory"
    ESTABLISHED = "established", "Established from its runs"


class ControlStatus(models.TextChoices):
    """How far a control run is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being read"
    READ = "read", "Read"
    FAILED = "failed", "Not read"


class Verdict(models.TextChoices):
    """What the rules make of a control run; empty while there is no target to judge it by."""

    ACCEPTED = "accepted", "Accepted"
    WARNING = "warning", "Accepted with a warning"
    REJECTED = "rejected", "Rejected"


class Rule(models.TextChoices):
    """Westgard's rules for controls (`quality.westgard`), by the names they have on charts."""

    R_1_2S = "1_2s", "1-2s"
    R_1_3S = "1_3s", "1-3s"
    R_2_2S = "2_2s", "2-2s"
    R_R_4S = "R_4s", "R-4s"
    R_4_1S = "4_1s", "4-1s"
    R_10_X = "10_x", "10-x"


class Release(models.TextChoices):
    """On what grounds a stopped model was released."""

    GOOD_RUN = "good_run", "After a good control"
    OVERRIDE = "override", "Without a good control"


GOOD = (Verdict.ACCEPTED, Verdict.WARNING)


class Basis(models.TextChoices):
    """Which cells agreement is taken from, by what the second of two knew."""

    BLIND = "blind", "Blind reference counts"
    CHECKS = "checks", "Reader checks and the agreed class"
    LABELLED = "labelled", "Second readers of labelled sets"
    REVIEW = "review", "Reviews after another's"
    MACHINE_BLIND = "machine_blind", "Blind readers and the machine"
    MACHINE = "machine", "Reviewers and the machine"
