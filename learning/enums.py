"""Closed vocabularies of the registry of models."""

from django.db import models


class Standing(models.TextChoices):
    """Where a version stands; follows from rows, and is stored nowhere."""

    IN_USE = "in_use", "In use"
    IN_SHADOW = "in_shadow", "In shadow"
    CANDIDATE = "candidate", "Candidate"
    REFUSED = "refused", "Refused"
    RETIRED = "retired", "Retired"


class Origin(models.TextChoices):
    """How a release came to the laboratory."""

    INSTALLED = "installed", "Came with the product"
    UPLOADED = "uploaded", "Uploaded"
    COMMAND = "command", "Registered by command"
    RETRAINED = "retrained", "Retrained here"
    ADAPTED = "adapted", "Adapted here"


class UploadStatus(models.TextChoices):
    """How far an uploaded archive is."""

    CHECKING = "checking", "Being checked"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"


class SetKind(models.TextChoices):
    """What a labelled set is for."""

    GOLDEN = "golden", "Golden set"
    SOURCE = "source", "Another source"


class SetState(models.TextChoices):
    """A draft takes cells; a frozen set never changes; a retired one judges no more."""

    DRAFT = "draft", "Draft"
    FROZEN = "frozen", "Frozen"
    RETIRED = "retired", "Retired"


class WorkStatus(models.TextChoices):
    """How far a piece of a worker's work is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


OPEN_WORK = (WorkStatus.QUEUED, WorkStatus.RUNNING)


class PromotionKind(models.TextChoices):
    """How a version came into use."""

    PROMOTED = "promoted", "Promoted"
    OVERRIDDEN = "overridden", "Promoted over a refusal"
    ROLLED_BACK = "rolled_back", "Rolled back to"
    BY_COMMAND = "by_command", "Put in use by command"


class TrainingState(models.TextChoices):
    """A worker gathers the cells, people look at them, then the set is frozen for good."""

    GATHERING = "gathering", "Being gathered"
    DRAFT = "draft", "Draft"
    FROZEN = "frozen", "Frozen"


class Method(models.TextChoices):
    """How a candidate is made of the version in use and a training set."""

    ADAPT = "adapt", "Adapt to this laboratory"
    RETRAIN = "retrain", "Retrain"


class LeftOut(models.TextChoices):
    """Why a cell that a person named is not in a training set."""

    NO_BASIS = "no_basis", "No basis of use covers the case"
    OBJECTION = "objection", "The patient objects"
    RESTRICTED = "restricted", "The patient's record is restricted"
    GOLDEN_PATIENT = "golden_patient", "The patient has cells in a labelled set"
    GOLDEN_PICTURE = "golden_picture", "The picture is in a labelled set"
    REPEATED = "repeated", "The same picture is in the set already"
    UNREADABLE = "unreadable", "The picture can't be read"
    BY_HAND = "by_hand", "Left out by a person"


class Voice(models.TextChoices):
    """Who calls a cell something else than what was signed."""

    MACHINE = "machine", "The version that read it"
    EARLIER = "earlier", "Somebody earlier in the review"
    REFERENCE = "reference", "A reader of a reference count"
