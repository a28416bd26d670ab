"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "report.issued": "Report issued",
    "report.downloaded": "Report downloaded",
    "report.verification_failed": "Stored report failed verification",
}


class ReportsConfig(AppConfig):
    """Configuration of the reports app."""

    name = "reports"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from reports import checks  # noqa: F401, PLC0415 - registers itself

        register_actions(ACTIONS)
