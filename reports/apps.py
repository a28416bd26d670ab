"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "report.issued": "Report issued",
    "report.layout_changed": "Printed layout of reports changed",
    "report.withdrawal_requested": "Withdrawal of a report requested",
    "report.withdrawal_declined": "Withdrawal of a report declined",
    "report.delta_dismissed": "Delta dismissed",
    "report.downloaded": "Report downloaded",
    "report.list_exported": "List of reports exported",
    "report.verification_failed": "Stored report failed verification",
    "image.exported": "Image exported",
    "research.requested": "Research export asked for",
    "research.made": "Research export made",
    "research.failed": "Research export failed",
    "research.downloaded": "Research export downloaded",
    "research.deleted": "Research export deleted",
}


class ReportsConfig(AppConfig):
    """Configuration of the reports app."""

    name = "reports"

    def ready(self) -> None:
        from accounts.audit import LISTENERS, register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415
        from classifier.guards import ISSUED_CHECKS  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415
        from reports import (  # noqa: PLC0415
            checks,  # noqa: F401 - registers itself
            endings,
            notices,
            standing,
        )

        register_actions(ACTIONS)
        follow(
            Followed("reports_report"),
            Followed("reports_signoff"),
            Followed("reports_withdrawalrequest"),
        )
        register_kinds(*notices.KINDS)
        LISTENERS.append(endings.hear)
        ISSUED_CHECKS.append(standing.standing_report)
