"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "referral.made": "Case referred for an opinion",
    "referral.opened": "Referral opened by the consultant",
    "referral.viewed": "Referred case read",
    "referral.picture_viewed": "Picture of a referred case viewed",
    "referral.term_changed": "Referral extended or shortened",
    "referral.withdrawn": "Referral withdrawn",
    "opinion.given": "Opinion given",
    "opinion.printed": "Opinion put into the report or taken out",
    "discussion.commented": "Comment written",
    "discussion.retracted": "Comment retracted",
}


class ConsultationConfig(AppConfig):
    """Configuration of second opinions and discussion."""

    name = "consultation"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415
        from classifier.care import CARE_RELATIONS  # noqa: PLC0415
        from classifier.policies import PARTS_TAKEN  # noqa: PLC0415
        from consultation import notices  # noqa: PLC0415
        from consultation.policies import has_spoken_about, is_asked  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415

        register_actions(ACTIONS)
        follow(
            Followed("consultation_casecomment"),
            Followed("consultation_opinion"),
            Followed("consultation_referral", ignored=("first_opened_at", "answer_read_at")),
        )
        register_kinds(*notices.KINDS)
        PARTS_TAKEN.append(has_spoken_about)
        CARE_RELATIONS.append(is_asked)
