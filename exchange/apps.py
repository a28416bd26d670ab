"""App configuration."""

from django.apps import AppConfig

ACTIONS: dict[str, str] = {
    "webhook.added": "Webhook added",
    "webhook.renewed": "Webhook's secret renewed",
    "webhook.stopped": "Webhook stopped",
    "webhook.started": "Webhook started again",
    "webhook.given_up": "Webhook's receiver given up on for a report",
    "webhook.replayed": "Webhook's delivery queued again",
    "message.accepted": "Message of another system accepted",
    "message.refused": "Message of another system refused",
    "message.parked": "Message of another system waits for a person",
    "message.read": "Message of another system read with identities",
    "message.specimen_matched": "Specimen of a waiting message matched to a case",
    "message.settled": "Waiting message settled",
    "sender.added": "Sending system added",
    "sender.changed": "Sending system changed",
    "order_code.added": "Code of a test added",
    "order_code.approved": "Code of a test approved",
    "order_code.retired": "Code of a test retired",
    "analyte_code.added": "Analyser's code added",
    "analyte_code.approved": "Analyser's code approved",
    "analyte_code.retired": "Analyser's code retired",
    "result_message.unsendable": "Report could not be written for another system",
    "result_message.accepted": "Report accepted by another system",
    "result_message.rejected": "Report rejected by another system",
    "result_message.replayed": "Report to be sent again to another system",
    "result_message.rewritten": "Report written anew for another system",
    "result_message.set_aside": "Report's message set aside",
    "result_message.read": "Report's message read with identities",
    "peer.added": "Receiving system added",
    "peer.changed": "Receiving system changed",
    "peer.tested": "Connection to a receiving system tried",
    "result_message.given_up": "Report given up after many attempts to send it",
}


class ExchangeConfig(AppConfig):
    """Configuration of what goes out to and comes in from other systems."""

    name = "exchange"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415
        from exchange import notices  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415

        register_actions(ACTIONS)
        follow(
            Followed("exchange_sender"),
            Followed("exchange_ordercode"),
            Followed("exchange_analytecode"),
            Followed("exchange_specimenmatch"),
            # A disposal empties its replies; their old value must not stay here.
            Followed("exchange_settlement", secret=("replies",)),
        )
        register_kinds(*notices.KINDS)
