"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "patient.registered": "Patient registered",
    "case.registered": "Case registered",
    "case.submit": "Case submitted",
    "case.complete_classification": "Classification completed",
    "case.fail_classification": "Classification failed",
    "case.retry": "Classification retried",
    "case.review_manually": "Sent to review without classification",
    "case.open_review": "Review opened",
    "case.release": "Review released",
    "case.return_to_technician": "Returned to the technician",
    "case.sign_off": "Signed off",
    "case.amend": "Amendment opened",
    "case.withdraw_amendment": "Amendment withdrawn",
    "case.reject": "Specimen rejected",
    "case.cancel": "Case cancelled",
    "image.added": "Image added",
    "image.removed": "Image removed",
    "image.kind_changed": "Image kind changed",
    "cell.corrected": "Cells named by the reviewer",
    "review.undone": "Reviewer's last step undone",
    "review.comment_changed": "Interpretation changed",
    "model.registered": "Model registered",
    "model.activated": "Model activated",
}


class ClassifierConfig(AppConfig):
    """Configuration of the clinical app."""

    name = "classifier"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later

        register_actions(ACTIONS)
