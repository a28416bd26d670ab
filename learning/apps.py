"""App configuration."""

from django.apps import AppConfig

ACTIONS: dict[str, str] = {
    "model.uploaded": "Model uploaded",
    "model.upload_refused": "Uploaded model refused",
    "model.evaluation_asked": "Evaluation of a model asked for",
    "model.compared": "Model compared with the one in use",
    "model.refused": "Model refused by a comparison",
    "model.refusal_overridden": "Refusal of a model overridden",
    "model.shadow_started": "Model put in shadow",
    "model.shadow_ended": "Model taken out of shadow",
    "model.promoted": "Model promoted",
    "model.rolled_back": "Model rolled back to the one before",
    "labelled_set.opened": "Labelled set opened",
    "labelled_set.uploaded": "Archive of a labelled set uploaded",
    "labelled_set.upload_refused": "Uploaded labelled set refused",
    "labelled_set.nominated": "Cells nominated for a labelled set",
    "labelled_set.imported": "Cells imported into a labelled set",
    "labelled_set.frozen": "Labelled set frozen",
    "labelled_set.retired": "Labelled set retired",
    "nomination.read": "Nominated cell named by a second reader",
    "basis_of_use.proposed": "Basis of use for learning proposed",
    "basis_of_use.approved": "Basis of use for learning approved",
    "basis_of_use.ended": "Basis of use for learning ended",
    "objection.recorded": "Patient's objection to learning recorded",
    "objection.ended": "Patient's objection to learning taken back",
    "training_set.opened": "Training set opened",
    "training_set.gathered": "Cells gathered for a training set",
    "training_set.frozen": "Training set frozen",
    "training_cell.left_out": "Cell left out of a training set",
    "training_cell.taken_back": "Cell taken back into a training set",
    "retraining.asked": "Training of a candidate asked for",
    "retraining.done": "Candidate trained",
    "retraining.failed": "Training of a candidate failed",
    "retraining.stopped": "Training of a candidate stopped by a person",
    "acceptance_rule.proposed": "Rule for accepting models proposed",
    "acceptance_rule.approved": "Rule for accepting models approved",
    "acceptance_rule.withdrawn": "Proposed rule for accepting models withdrawn",
}


class LearningConfig(AppConfig):
    """Configuration of the registry of models."""

    name = "learning"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415
        from learning import notices  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415

        register_actions(ACTIONS)
        follow(
            Followed("learning_promotion"),
            Followed("learning_acceptancerule"),
            Followed("learning_basisofuse"),
            Followed("learning_patientobjection"),
        )
        register_kinds(*notices.KINDS)
