"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "patient.registered": "Patient registered",
    "patient.merged": "Patient records merged",
    "patient.absorbed": "Another patient record merged into this one",
    "patient.unmerged": "Merge of patient records taken back",
    "patient.released": "A merged patient record taken out of this one",
    "patient.readers_listed": "Readers of a patient's record listed",
    "patient.readers_exported": "Readers of a patient's record exported",
    "patient.restricted": "Record restricted",
    "patient.restriction_lifted": "Restriction of a record lifted",
    "patient.person_named": "Person named for a restricted record",
    "patient.person_unnamed": "Person taken off a restricted record",
    "patient.restriction_viewed": "Restriction of a record viewed",
    "patient.number_matched": "Number of a restricted record searched for",
    "legal_hold.put": "Legal hold put",
    "legal_hold.carried": "Legal hold carried on with a case",
    "legal_hold.lifted": "Legal hold lifted",
    "restricted_access.judged": "Emergency access judged",
    "restricted_access.viewed": "Emergency access looked into",
    "case.taken_up": "Case of a restricted record taken up",
    "case.registered": "Case registered",
    "case.merged": "Case brought to the surviving patient record",
    "case.unmerged": "Case assigned as a merge was taken back",
    "case.patient_corrected": "Case given to the right patient",
    "case.patient_left": "Case taken from the wrong patient",
    "case.registered_again": "Case registered again under the right patient",
    "case.restart_review": "Review restarted for another patient",
    "case.order_changed": "Order changed",
    "case.results_added": "Analyser results added",
    "case.results_taken": "Late analyser results taken into an amendment",
    "case.submit": "Case submitted",
    "case.complete_classification": "Classification completed",
    "case.fail_classification": "Classification failed",
    "case.take_back": "Taken back to add images",
    "case.retry": "Classification retried",
    "case.review_manually": "Sent to review without classification",
    "case.open_review": "Review opened",
    "case.release": "Review released",
    "case.return_to_technician": "Returned to the technician",
    "case.sign_off": "Signed off",
    "case.amend": "Amendment opened",
    "case.withdraw_amendment": "Amendment withdrawn",
    "case.issue_interim": "Interim result released",
    "case.issue_interim_unopened": "Interim result released while nobody had the case open",
    "case.withdraw_report": "Report withdrawn as entered in error",
    "case.reject": "Specimen rejected",
    "case.cancel": "Case cancelled",
    "image.added": "Image added",
    "image.refused": "Image of another patient refused",
    "image.removed": "Image removed",
    "image.kind_changed": "Image kind changed",
    "slide.added": "Slide uploaded",
    "slide.checked": "Slide checked",
    "slide.refused": "Slide refused",
    "slide.fields_asked": "Fields of a slide asked for",
    "slide.removed": "Slide removed",
    "cell.corrected": "Cells named by the reviewer",
    "cell.accepted": "Cells accepted by the reviewer",
    "cell.accepted_by_class": "Cells of a class accepted after being looked at",
    "cell.added": "Cell added by the reviewer",
    "cell.reshaped": "Box drawn anew by the reviewer",
    "cell.removed": "Boxes removed by the reviewer",
    "cell.repeat_marked": "Repeated cells marked by the reviewer",
    "review.undone": "Reviewer's last step undone",
    "review.redone": "Undone step taken again",
    "review.comment_changed": "Interpretation changed",
    "review.platelet_clumps": "Platelet clumps marked or unmarked",
    "reference_cell.added": "Reference cell added",
    "reference_cell.imported": "Reference cell imported",
    "reference_cell.described": "Reference cell's teaching text changed",
    "reference_cell.retired": "Reference cell retired",
    "morphology.graded": "Morphology graded by the reviewer",
    "morphology.withdrawn": "Grade of morphology taken back",
    "morphology_feature.proposed": "Morphology feature proposed",
    "morphology_feature.approved": "Morphology feature approved",
    "morphology_feature.retired": "Morphology feature retired",
    "critical.raised": "Critical result found",
    "critical.updated": "Critical result changed",
    "critical.closed": "No longer critical",
    "critical.called": "Call about a critical result recorded",
    "critical.escalated": "Untold critical result passed on",
    "limit.proposed": "Limit proposed",
    "limit.approved": "Limit approved",
    "limit.retired": "Limit retired",
    "explanation.requested": "Explanations asked for",
    "explanation.cancelled": "Explanation cancelled",
    "reference_study.opened": "Reference count opened",
    "reference_study.cancelled": "Reference count cancelled",
    "reference_study.completed": "Reference count completed",
    "reference_reading.started": "Reading for a reference count started",
    "reference_reading.completed": "Reading for a reference count completed",
    "reference_reading.left": "Reading for a reference count left",
    "laboratory.changed": "Laboratory settings changed",
    "model.registered": "Model registered",
    "model.stored": "Model's files kept",
    "model.confusion_stated": "Model's confusion stated",
    "model.activated": "Model activated",
    "model.stopped": "Model stopped",
    "model.released": "Stopped model released",
}


class ClassifierConfig(AppConfig):
    """Configuration of the clinical app."""

    name = "classifier"

    def ready(self) -> None:
        from accounts.audit import EMERGENCIES, register_actions  # noqa: PLC0415 - models load later
        from accounts.history.explaining import WITHHOLDERS  # noqa: PLC0415
        from accounts.history.following import follow  # noqa: PLC0415
        from classifier import followed, notices  # noqa: PLC0415
        from classifier.care import patients_in_emergency  # noqa: PLC0415
        from classifier.selectors.row_owners import closed_rows  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415

        register_actions(ACTIONS)
        EMERGENCIES.append(patients_in_emergency)
        WITHHOLDERS.append(closed_rows)
        follow(*followed.TABLES)
        register_kinds(*notices.KINDS)
