"""The form of a new token."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings

from api.enums import Scope
from api.policies import scopes_of

if TYPE_CHECKING:
    from accounts.models import User

LIVES = (1, 7, 30, 90, 365)
USUAL_LIFE = 90


class TokenForm(forms.Form):
    """What the token is for, what it may do, how long; and the owner's password again."""

    name = forms.CharField(
        max_length=60,
        help_text="What will use it. No patient's name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Analyser bridge"}),
    )
    scopes = forms.MultipleChoiceField(label="May be used to", widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(label="Expires after", coerce=int, initial=USUAL_LIFE)
    token_id = forms.UUIDField(widget=forms.HiddenInput)
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: "User", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope.value, scope.label) for scope in scopes_of(user)]
        days: Any = self.fields["days"]
        days.choices = [
            (life, f"{life} day{'' if life == 1 else 's'}")
            for life in LIVES
            if life <= settings.API_TOKEN_MAX_LIFE.days
        ]

    def clean_scopes(self) -> list[Scope]:
        return [Scope(value) for value in self.cleaned_data["scopes"]]

    def details(self) -> dict[str, Any]:
        """What the service is to make."""
        values = self.cleaned_data
        return {
            "name": values["name"],
            "scopes": values["scopes"],
            "life": timedelta(days=values["days"]),
            "token_id": values["token_id"],
        }
