"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "retention_rule.proposed": "Retention rule proposed",
    "retention_rule.approved": "Retention rule approved",
    "retention_rule.retired": "Retention rule retired",
    "disposal.proposed": "Disposal proposed",
    "disposal.approved": "Disposal approved",
    "disposal.withdrawn": "Proposed disposal withdrawn",
    "disposal.finished": "Disposal carried out",
    "disposal.held_back": "Record held back from a disposal",
    "disposal.exported": "List of a disposal exported",
    "patient_copy.requested": "Everything about a patient asked for as an archive",
    "patient_copy.made": "Archive of everything about a patient made",
    "patient_copy.failed": "Archive of everything about a patient could not be made",
    "patient_copy.exported": "Archive of everything about a patient downloaded",
    "patient_copy.deleted": "Archive of everything about a patient deleted",
    "image.disposed": "Image disposed of",
    "slide.disposed": "Slide disposed of",
    "messages.disposed": "Messages disposed of",
}


class RetentionConfig(AppConfig):
    """Configuration of retention."""

    name = "retention"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415
        from retention import notices  # noqa: PLC0415

        register_actions(ACTIONS)
        follow(
            Followed("retention_retentionrule"),
            Followed("retention_disposal", ignored=("lease_expires_at",)),
            # How far erasing is changes without an entry; what was decided of an item doesn't.
            Followed("retention_disposalitem", ignored=("state", "erased_at"), with_inserts=False),
            Followed("retention_messagebatch", with_inserts=False),
        )
        register_kinds(*notices.KINDS)
