"""The clinical tables whose rows have a history underneath the audit trail."""

from accounts.history.following import Followed

# A case brings thousands of cells and marks, and they stay where they are: no inserts noted.
# What workers keep for themselves (claims, a slide's last part, which cells repeat) changes
# without an audit event, and says nothing about a result that a person didn't confirm.
TABLES = (
    Followed("classifier_patient"),
    Followed("classifier_restriction"),
    Followed("classifier_namedperson"),
    Followed("classifier_casetakeup"),
    Followed("classifier_emergencyaccess"),
    Followed("classifier_emergencyjudgement"),
    Followed("classifier_patientmerge"),
    Followed("classifier_legalhold"),
    Followed("classifier_case"),
    Followed("classifier_specimen"),
    Followed(
        "classifier_slide",
        ignored=("attempt", "lease_expires_at", "last_part_at"),
        with_inserts=False,
    ),
    Followed("classifier_smearimage", with_inserts=False),
    Followed("classifier_cell", ignored=("repeat_of_id",), with_inserts=False),
    Followed("classifier_prediction", with_inserts=False),
    Followed("classifier_correction", with_inserts=False),
    Followed("classifier_review"),
    Followed("classifier_morphologyfinding"),
    Followed("classifier_analyserresult"),
    Followed("classifier_takenresult"),
    Followed("classifier_criticalalert"),
    Followed("classifier_criticalcall"),
    Followed("classifier_patientcorrection"),
    Followed("classifier_mergedcase"),
    Followed("classifier_caseorigin"),
    Followed("classifier_modelversion"),
    Followed("classifier_modelhold"),
    Followed("classifier_laboratory", with_inserts=False),
    Followed("classifier_referenceinterval"),
    Followed("classifier_criticallimit"),
    Followed("classifier_deltalimit"),
    Followed("classifier_morphologyfeature"),
)
