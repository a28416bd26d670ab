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
    ENTERED_IN_ERROR = "entered_in_error", _("Entered in error")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Cancelled")


REVIEWABLE = (
    CaseStatus.AWAITING_REVIEW,
    CaseStatus.IN_REVIEW,
    CaseStatus.AMENDING,
    CaseStatus.SIGNED_OFF,
)
UNFINISHED = (
    CaseStatus.REGISTERED,
    CaseStatus.IN_CLASSIFICATION,
    CaseStatus.CLASSIFICATION_FAILED,
    CaseStatus.AWAITING_REVIEW,
    CaseStatus.IN_REVIEW,
    CaseStatus.AMENDING,
)
"""Somebody of the laboratory still has to do something with the case."""


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


class SlideStatus(models.TextChoices):
    """How far the file of a whole slide is."""

    UPLOADING = "uploading", _("Being uploaded")
    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Ready")
    REFUSED = "refused", _("Refused")


class CellOrigin(models.TextChoices):
    """Who said that there is a cell."""

    FULL_FRAME = "full_frame", _("A picture of one cell")
    MACHINE = "machine", _("Found by the detector")
    HUMAN = "human", _("Added by a reviewer")


class DetectedKind(models.TextChoices):
    """What the detector tells apart; white cells are then named by the classifier."""

    LEUKOCYTE = "leukocyte", _("White cell")
    ERYTHROCYTE = "erythrocyte", _("Red cell")
    PLATELET = "platelet", _("Platelet")


class RepeatMark(models.TextChoices):
    """A reviewer's word on whether a cell was seen in another field already."""

    DISTINCT = "distinct", _("Another cell")
    REPEAT = "repeat", _("Seen already")


class RunStatus(models.TextChoices):
    """Where one classification of one image stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Classified")
    FAILED = "failed", _("Failed")


OPEN_RUN_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING)


class ExplanationMethod(models.TextChoices):
    """How a map of what raised a class's score is made; the values are `ml.explain`'s."""

    GRAD_CAM = "gradcam", _("Grad-CAM")
    GRAD_CAM_PP = "gradcam++", _("Grad-CAM++")
    SHAP = "shap", _("SHAP")
    LIME = "lime", _("LIME")


QUICK_METHODS = (ExplanationMethod.GRAD_CAM, ExplanationMethod.GRAD_CAM_PP)
"""Their maps cost one forward pass; the others' cost hundreds."""


class ExplanationStatus(models.TextChoices):
    """Where one explanation stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being made")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


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
    ERYTHROCYTE = "erythrocyte", _("Erythrocyte")
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


# What a delta limit watches: the analyser's white count, or the share of a class.
WHITE_COUNT = "wbc"


class Analyte(models.TextChoices):
    """What an analyser measures that a case can use, with its UCUM unit in `ANALYTE_UNITS`."""

    LEUKOCYTES = "wbc", _("Leukocytes (WBC)")
    PLATELETS = "platelets", _("Platelets")
    ERYTHROBLASTS_PER_HUNDRED = "nrbc_per_100", _("Nucleated red cells per 100 leukocytes")
    ERYTHROBLASTS = "nrbc", _("Nucleated red cells")


ANALYTE_UNITS = {
    Analyte.LEUKOCYTES: "10*9/L",
    Analyte.PLATELETS: "10*9/L",
    Analyte.ERYTHROBLASTS_PER_HUNDRED: "/100{WBCs}",
    Analyte.ERYTHROBLASTS: "10*9/L",
}


class ResultStatus(models.TextChoices):
    """How an analyser calls its result (HL7 table 0085, ASTM E1394 8.9)."""

    PRELIMINARY = "preliminary", _("Preliminary")
    FINAL = "final", _("Final")
    CORRECTED = "corrected", _("Corrected")


USABLE_RESULTS = (ResultStatus.FINAL, ResultStatus.CORRECTED)

UNITS = {Quantity.PERCENT: "%", Quantity.ABSOLUTE: "10*9/L"}


class AgeUnit(models.TextChoices):
    """In what the ages of a band are given: completed years, or days for the newborn."""

    YEARS = "years", _("years")
    DAYS = "days", _("days")


class ReviewOutcome(models.TextChoices):
    """How a review ended."""

    SIGNED = "signed", _("Signed off")
    RELEASED = "released", _("Released unsigned")
    RETURNED = "returned", _("Returned to the technician")
    REJECTED = "rejected", _("Specimen rejected")
    CARRIED_OVER = "carried_over", _("Carried over from another case")


class CellLine(models.TextChoices):
    """What a feature of morphology is about."""

    RED = "red", _("Red cells")
    WHITE = "white", _("White cells")
    PLATELET = "platelet", _("Platelets")


class MorphologyUnit(models.TextChoices):
    """What the percentage of a graded feature is a percentage of."""

    RED_CELLS = "red_cells", _("% of red cells")
    WHITE_CELLS = "white_cells", _("% of white cells")
    NEUTROPHILS = "neutrophils", _("% of neutrophils")
    LYMPHOCYTES = "lymphocytes", _("% of lymphocytes")
    PLATELETS = "platelets", _("% of platelets")


class CriticalRule(models.TextChoices):
    """What makes a result critical: a value beyond a limit, or that a cell was seen at all."""

    OUTSIDE = "outside", _("Value beyond a limit")
    SEEN = "seen", _("Any cell of this class, named by a human")


class CriticalSide(models.TextChoices):
    """On which side of its limit a critical finding lies."""

    LOW = "low", _("below")
    HIGH = "high", _("above")
    SEEN = "seen", _("seen")


class CallChannel(models.TextChoices):
    """By what way a critical result was told."""

    PHONE = "phone", _("Telephone")
    IN_PERSON = "in_person", _("In person")
    PAGER = "pager", _("Pager")
    MESSAGE = "message", _("Secure message")


class CallOutcome(models.TextChoices):
    """What came of trying to tell a critical result."""

    READ_BACK = "read_back", _("Told and read back")
    NOT_READ_BACK = "not_read_back", _("Told, not read back")
    NOT_REACHED = "not_reached", _("Nobody reached")
    FAILED = "failed", _("Given up: could not be told")


class StudyStatus(models.TextChoices):
    """How far a reference count is."""

    READING = "reading", _("Being read")
    ARBITRATION = "arbitration", _("Waiting for the arbiter")
    COMPLETE = "complete", _("Complete")
    CANCELLED = "cancelled", _("Cancelled")


class ReadingSeat(models.IntegerChoices):
    """Who somebody is in a reference count."""

    FIRST = 1, _("Reader 1")
    SECOND = 2, _("Reader 2")
    ARBITER = 3, _("Arbiter")


class RestrictionKind(models.TextChoices):
    """Why a record is open to few."""

    STAFF = "staff", _("Member of staff")
    PUBLIC = "public", _("Publicly known person")
    PROTECTED = "protected", _("Protected person")
    OTHER = "other", _("Other")


class EmergencyCause(models.TextChoices):
    """Why somebody opens a restricted record without taking part in the care."""

    TREATMENT = "treatment", _("Urgent treatment")
    CRITICAL = "critical", _("Critical result to be told")
    IDENTITY = "identity", _("Doubt about the identity of a specimen")
    COVER = "cover", _("The person in charge cannot be reached")
    OTHER = "other", _("Other")


class EmergencyVerdict(models.TextChoices):
    """What was said of an emergency access afterwards."""

    JUSTIFIED = "justified", _("Justified")
    NOT_JUSTIFIED = "not_justified", _("Not justified")
