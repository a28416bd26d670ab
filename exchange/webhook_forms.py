"""The form of a new webhook."""

from django import forms

from exchange.enums import WebhookContent


class WebhookForm(forms.Form):
    """Who is told, where, and what."""

    webhook_id = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=60,
        help_text="Which system listens there.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Ward system"}),
    )
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Begins with https://. Addresses inside this network have to be allowed first.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    content = forms.TypedChoiceField(
        label="It is told",
        choices=WebhookContent.choices,
        coerce=WebhookContent,
        initial=WebhookContent.REFERENCE,
        widget=forms.RadioSelect,
    )
