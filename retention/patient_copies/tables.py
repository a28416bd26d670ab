"""Which tables hold something about a patient, how a row leads there, and what is left out.

Every table of the level *Patient* in docs/data-classes.md stands in one of the two lists.
"""

from collections.abc import Sequence
from typing import Final

from django.apps import apps
from django.db.models import Model, QuerySet

from accounts.models import User
from classifier.enums import CaseStatus

LEADS: Final[dict[str, str]] = {
    "classifier.Patient": "pk",
    "classifier.PatientEvent": "pgh_obj",
    "classifier.PatientMerge": "survivor",
    "classifier.MergedCase": "case__patient",
    "classifier.Restriction": "patient",
    "classifier.NamedPerson": "restriction__patient",
    "classifier.EmergencyAccess": "patient",
    "classifier.EmergencyJudgement": "access__patient",
    "classifier.Case": "patient",
    "classifier.CaseEvent": "pgh_obj__patient",
    "classifier.CaseTakeUp": "case__patient",
    "classifier.Specimen": "case__patient",
    "classifier.SpecimenEvent": "pgh_obj__case__patient",
    "classifier.Slide": "case__patient",
    "classifier.SlideFile": "slide__case__patient",
    "classifier.SmearImage": "case__patient",
    "classifier.Cell": "image__case__patient",
    "classifier.Review": "case__patient",
    "classifier.Correction": "review__case__patient",
    "classifier.AnalyserResult": "case__patient",
    "classifier.TakenResult": "review__case__patient",
    "classifier.CriticalAlert": "case__patient",
    "classifier.CriticalAlertEvent": "pgh_obj__case__patient",
    "classifier.CriticalSnapshot": "alert__case__patient",
    "classifier.CriticalCall": "alert__case__patient",
    "classifier.ClassificationRun": "image__case__patient",
    "classifier.FieldScan": "image__case__patient",
    "classifier.Prediction": "run__image__case__patient",
    "classifier.Explanation": "cell__image__case__patient",
    "classifier.TraitReading": "cell__image__case__patient",
    "classifier.MorphologyFinding": "review__case__patient",
    "classifier.ReferenceStudy": "case__patient",
    "classifier.StudyCell": "study__case__patient",
    "classifier.ReferenceReading": "study__case__patient",
    "classifier.ReferenceMark": "reading__study__case__patient",
    "classifier.ReferenceCell": "cell__image__case__patient",
    "consultation.CaseComment": "case__patient",
    "consultation.Retraction": "comment__case__patient",
    "consultation.Mention": "comment__case__patient",
    "consultation.Referral": "case__patient",
    "consultation.ReferralTerm": "referral__case__patient",
    "consultation.Opinion": "referral__case__patient",
    "reports.Report": "case__patient",
    "reports.SignOff": "report__case__patient",
    "reports.DeltaDismissal": "case__patient",
    "reports.WithdrawalRequest": "report__case__patient",
    "exchange.MessageCase": "case__patient",
    "exchange.PlacedOrder": "case__patient",
    "exchange.SpecimenMatch": "case__patient",
    "exchange.OutboundMessage": "report__case__patient",
    "exchange.DeliveryEvent": "message__report__case__patient",
    "exchange.WebhookDelivery": "report__case__patient",
    "exchange.WebhookAttempt": "delivery__report__case__patient",
    "learning.ShadowReading": "run__image__case__patient",
    "learning.ShadowPrediction": "reading__run__image__case__patient",
    "learning.PatientObjection": "patient",
    "learning.TrainingCell": "patient",
    "learning.LabelledCell": "cell__image__case__patient",
    "learning.Nomination": "cell__image__case__patient",
    "learning.EvaluatedCell": "cell__cell__image__case__patient",
    "quality.CaseAppearance": "case__patient",
    "quality.CellAppearance": "cell__image__case__patient",
    "retention.PatientCopy": "patient",
}

LEFT_OUT: Final[dict[str, str]] = {
    "classifier.PatientCorrection": "names the record of another patient",
    "classifier.CaseOrigin": "names the case of another patient, where a case was registered again",
    "classifier.LegalHold": "belongs to a legal dispute; ask the laboratory's records office",
    "consultation.OpinionDraft": "notes that nobody has given as an opinion",
    "reports.ResearchSubject": "the secret by which research data are masked",
    "reports.ResearchExport": "names no patient",
    "exchange.IncomingMessage": "orders are included as they came; analysers' messages may hold "
    "other patients, so their values stand in AnalyserResult instead",
    "exchange.Settlement": "what staff decided about a message, without anything of the patient",
    "learning.TrainingSet": "names no patient",
    "learning.LabelledSet": "names no patient",
    "learning.SetUpload": "names no patient",
    "quality.KnownCell": "by which cells readers are tested; told, the test would be worth nothing",
    "api.AnsweredRequest": "what a program was answered; forgotten within days",
    "vault.StoredFile": "names and sums of files; those included are in manifest.csv",
}


def model_of(label: str) -> type[Model]:
    """Return the model of a label such as "classifier.Case"."""
    return apps.get_model(label)


WITHDRAWN: Final = (
    "pictures, values, messages and reports of cases that were withdrawn as entered in error: they "
    "may be another person's"
)


def rows_of(label: str, records: Sequence[object]) -> "QuerySet[Model]":
    """Return the rows of a table that are about a patient's records, in a lasting order.

    What belongs to a case that was entered in error may be another person's, and is left out.
    """
    lead, rows = LEADS[label], model_of(label)._default_manager.all()
    if lead.endswith("case__patient") and label != "reports.WithdrawalRequest":
        rows = rows.exclude(
            **{f"{lead.removesuffix('patient')}status": CaseStatus.ENTERED_IN_ERROR}
        )
    people = [
        column.name for column in rows.model._meta.concrete_fields if column.related_model is User
    ]
    return rows.select_related(*people).filter(**{f"{lead}__in": records}).order_by("pk")
