"""Closed vocabularies of the clinical record."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CaseStatus(models.TextChoices):
    """Where a case stands; moves only along `classifier.lifecycle.TRANSITIONS`."""

    REGISTERED = "registered", _("Registered")
    IN_CLASSIFICATION = "in_classification", _("In classification")
    CLASSIFICATION_FAILED = "classification_failed", _("Classification failed")
    AWAITING_REVIEW = "awaiting_review", _("Awaiting review")
    IN_REVIEW = "in_review", _("In review")
    SIGNED_OFF = "signed_off", _("Signed off")
    AMENDING = "amending", _("Being amended")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Cancelled")


class Priority(models.TextChoices):
    """How urgently the result is wanted (HL7 table 0485: R, A, S)."""

    STAT = "stat", _("STAT")
    URGENT = "urgent", _("Urgent")
    ROUTINE = "routine", _("Routine")


class Sex(models.TextChoices):
    """Administrative sex (FHIR administrative-gender)."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class SpecimenType(models.TextChoices):
    """What was taken from the patient."""

    EDTA_BLOOD = "edta_blood", _("Venous blood, EDTA")
    CAPILLARY_BLOOD = "capillary_blood", _("Capillary blood")
    CITRATE_BLOOD = "citrate_blood", _("Venous blood, citrate")
    DIRECT_SMEAR = "direct_smear", _("Direct smear, no anticoagulant")


class Stain(models.TextChoices):
    """How the smear was stained."""

    MAY_GRUNWALD_GIEMSA = "may_grunwald_giemsa", _("May-Grünwald-Giemsa")
    WRIGHT_GIEMSA = "wright_giemsa", _("Wright-Giemsa")
    WRIGHT = "wright", _("Wright")
    GIEMSA = "giemsa", _("Giemsa")
    LEISHMAN = "leishman", _("Leishman")
    OTHER = "other", _("Other")


class SpecimenCondition(models.TextChoices):
    """The state in which the specimen arrived (42 CFR 493.1283)."""

    SATISFACTORY = "satisfactory", _("Satisfactory")
    CLOTTED = "clotted", _("Clotted")
    HAEMOLYSED = "haemolysed", _("Haemolysed")
    AGED = "aged", _("Too old")
    UNDERFILLED = "underfilled", _("Underfilled")
    POOR_SMEAR = "poor_smear", _("Poor smear or stain")


class ImageKind(models.TextChoices):
    """Whether a picture shows one cell or a whole field of the smear."""

    CELL = "cell", _("Single cell")
    FIELD = "field", _("Field")


class RunStatus(models.TextChoices):
    """Where one classification of one image stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Classified")
    FAILED = "failed", _("Failed")


OPEN_RUN_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING)


class CellType(models.TextChoices):
    """What a cell can be called.

    Wider than any model's class list: a reviewer may use names that no model can output.
    """

    NEUTROPHIL = "neutrophil", _("Neutrophil")
    LYMPHOCYTE = "lymphocyte", _("Lymphocyte")
    MONOCYTE = "monocyte", _("Monocyte")
    EOSINOPHIL = "eosinophil", _("Eosinophil")
    BASOPHIL = "basophil", _("Basophil")
    IMMATURE_GRANULOCYTE = "immature_granulocyte", _("Immature granulocyte")
    BLAST = "blast", _("Blast")
    ATYPICAL_LYMPHOCYTE = "atypical_lymphocyte", _("Atypical lymphocyte")
    PLASMA_CELL = "plasma_cell", _("Plasma cell")
    ERYTHROBLAST = "erythroblast", _("Erythroblast")
    PLATELET = "platelet", _("Platelet")
    SMUDGE_CELL = "smudge_cell", _("Smudge cell")
    ARTEFACT = "artefact", _("Artefact")
    UNIDENTIFIED = "unidentified", _("Unidentified")


# The denominator of the differential (domain rule: leukocytes only).
LEUKOCYTES = (
    CellType.NEUTROPHIL,
    CellType.LYMPHOCYTE,
    CellType.MONOCYTE,
    CellType.EOSINOPHIL,
    CellType.BASOPHIL,
    CellType.IMMATURE_GRANULOCYTE,
    CellType.BLAST,
    CellType.ATYPICAL_LYMPHOCYTE,
    CellType.PLASMA_CELL,
)


class Quantity(models.TextChoices):
    """What a reference interval bounds, with its UCUM unit in `UNITS`."""

    PERCENT = "percent", _("Percent of leukocytes")
    ABSOLUTE = "absolute", _("Absolute count")


UNITS = {Quantity.PERCENT: "%", Quantity.ABSOLUTE: "10*9/L"}


class ReviewOutcome(models.TextChoices):
    """How a review ended."""

    SIGNED = "signed", _("Signed off")
    RELEASED = "released", _("Released unsigned")
    RETURNED = "returned", _("Returned to the technician")
    REJECTED = "rejected", _("Specimen rejected")
