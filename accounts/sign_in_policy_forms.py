"""The form on which an administrator sets the rules of signing in."""

from typing import Any

from django import forms

from accounts.enums import Role
from accounts.sign_in_policy import (
    LONGEST_MINIMUM,
    MOST_REMEMBERED,
    SHORTEST_PASSWORD,
    SignInPolicy,
)
from accounts.sign_in_policy_services import Rules


class SignInPolicyForm(forms.Form):
    """The rules, and why."""

    second_factor_roles = forms.MultipleChoiceField(
        label="Must have a second factor",
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Everybody may have one. Whoever must, and has none, sets one up before "
        "anything else.",
    )
    signing_needs_second_factor = forms.BooleanField(
        label="Signing a report needs the second factor",
        required=False,
        help_text="Beside the password, given within the last five minutes.",
    )
    minimum_length = forms.IntegerField(
        label="Least length of a password",
        min_value=SHORTEST_PASSWORD,
        max_value=LONGEST_MINIMUM,
        help_text="Holds for passwords set from now on. NIST advises 15 where a password stands "
        "alone, and 8 beside a second factor.",
    )
    remembered_passwords = forms.IntegerField(
        label="Former passwords that may not come back",
        min_value=0,
        max_value=MOST_REMEMBERED,
        help_text="0: none are kept.",
    )
    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit trail and beside this version.",
    )

    @classmethod
    def showing(cls, policy: SignInPolicy, data: Any = None) -> "SignInPolicyForm":
        """Return the form filled with the rules that hold."""
        names = (
            "second_factor_roles",
            "signing_needs_second_factor",
            "minimum_length",
            "remembered_passwords",
        )
        return cls(data, initial={name: getattr(policy, name) for name in names})

    def rules(self) -> Rules:
        """Return what was asked for."""
        data = self.cleaned_data
        return Rules(
            second_factor_roles=tuple(Role(role) for role in data["second_factor_roles"]),
            signing_needs_second_factor=data["signing_needs_second_factor"],
            minimum_length=data["minimum_length"],
            remembered_passwords=data["remembered_passwords"],
        )
