"""App configuration."""

from django.apps import AppConfig

ACTIONS: dict[str, str] = {
    "drift.baseline_set": "Baseline of the drift board set",
    "drift.noticed": "Drift noticed",
    "control.material_added": "Control added",
    "control.material_retired": "Control retired",
    "control.target_proposed": "Target of a control proposed",
    "control.target_approved": "Target of a control approved",
    "control.target_withdrawn": "Proposed target of a control withdrawn",
    "control.rules_set": "Rules for controls set",
    "control.uploaded": "Pictures of a control uploaded",
    "control.failed": "Control not read",
    "control.unjudged": "Control read without a target",
    "control.accepted": "Control accepted",
    "control.warning": "Control accepted with a warning",
    "control.rejected": "Control rejected",
    "control.missed": "Control overdue",
    "known_cell.taken": "Known cells taken",
    "known_cell.retired": "Known cell retired",
    "check.rules_set": "Rules for reader checks set",
    "check.dealt": "Reader check dealt",
    "check.reminded": "Reader check reminded of",
    "check.overdue": "Reader check overdue",
    "check.completed": "Reader check completed",
    "check.below_limit": "Reader check below the limit",
    "check.withdrawn": "Reader check withdrawn",
    "check.cells_short": "Too few known cells for a reader check",
}


class QualityConfig(AppConfig):
    """Configuration of the quality boards."""

    name = "quality"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415
        from classifier.policies import READING_BARS  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415
        from quality import notices  # noqa: PLC0415
        from quality.policies import was_dealt_a_cell_of  # noqa: PLC0415

        register_actions(ACTIONS)
        follow(
            Followed("quality_controltarget"),
            Followed("quality_controltargetvalue"),
            Followed("quality_controlstop"),
        )
        register_kinds(*notices.KINDS)
        READING_BARS.append(was_dealt_a_cell_of)
