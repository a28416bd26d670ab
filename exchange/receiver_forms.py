"""Forms of receivers and of decisions about messages."""

import ssl
from typing import Any

from django import forms

from exchange.enums import OutboundState
from exchange.models import Peer
from exchange.models.peers import all_statuses
from reports.enums import ReportStatus


class PeerForm(forms.ModelForm):
    """A system that results are sent to."""

    report_statuses = forms.MultipleChoiceField(
        label="Send reports that are",
        choices=ReportStatus.choices,
        initial=all_statuses,
        widget=forms.CheckboxSelectMultiple,
    )

    SECTIONS = (
        ("Where it is", ("name", "host", "port", "is_active")),
        ("TLS", ("uses_tls", "server_name", "ca_certificate", "client_identity")),
        ("Names in the header", ("own_application", "own_facility", "application", "facility")),
        (
            "What it gets",
            ("report_statuses", "results_from", "charset", "ack_mode", "includes_pdf",
             "sends_snomed"),
        ),
        (
            "Patience",
            ("answer_seconds", "most_attempts", "first_pause_seconds", "longest_pause_seconds"),
        ),
    )  # fmt: skip

    class Meta:
        model = Peer
        fields = [
            "name", "host", "port", "is_active", "uses_tls", "server_name", "ca_certificate",
            "client_identity", "own_application", "own_facility", "application", "facility",
            "report_statuses", "results_from", "charset", "ack_mode", "includes_pdf",
            "sends_snomed", "answer_seconds", "most_attempts", "first_pause_seconds",
            "longest_pause_seconds",
        ]  # fmt: skip
        labels = {
            "is_active": "Send to it",
            "uses_tls": "Encrypt and verify with TLS",
            "server_name": "Name on its certificate",
            "ca_certificate": "Authority that vouches for it (PEM)",
            "client_identity": "File with our certificate and key",
            "application": "It is: application",
            "facility": "It is: facility",
            "results_from": "Send what is issued from",
            "charset": "Character set",
            "includes_pdf": "Send the PDF along",
            "sends_snomed": "Send SNOMED CT codes",
            "answer_seconds": "Wait for an answer, seconds",
            "most_attempts": "Give up after attempts",
            "first_pause_seconds": "First pause, seconds",
            "longest_pause_seconds": "Longest pause, seconds",
        }
        help_texts = {
            "server_name": "Only if it isn't the host.",
            "ca_certificate": "Empty: the authorities that this system trusts.",
            "client_identity": "In the folder for TLS on the server, if the receiver asks for it.",
            "sends_snomed": "Needs a licence on both sides.",
        }
        widgets = {
            "results_from": forms.DateTimeInput(
                attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"
            ),
            "ca_certificate": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        }

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.SECTIONS]

    def clean_ca_certificate(self) -> str:
        """Take certificates alone: what can't be read now would stop the sender later."""
        text: str = self.cleaned_data["ca_certificate"].strip()
        if text:
            try:
                ssl.create_default_context(cadata=text)
            except (ssl.SSLError, ValueError) as error:
                raise forms.ValidationError("This is no certificate in PEM form.") from error
        return text


class MessageFilter(forms.Form):
    """Which messages to list."""

    STATES = [("", "All"), ("parked", "Waits for a person"), *OutboundState.choices]

    state = forms.ChoiceField(choices=STATES, required=False)
    peer = forms.ModelChoiceField(
        Peer.objects.none(), required=False, label="Receiver", empty_label="All"
    )

    def __init__(self, *args: Any, peers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["peer"].queryset = peers  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why something is done with a message."""

    reason = forms.CharField(max_length=250)
