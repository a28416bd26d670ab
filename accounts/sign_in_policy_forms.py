"""The form on which an administrator sets the rules of signing in."""

from dataclasses import fields, replace
from typing import Any

from django import forms

from accounts.enums import Role
from accounts.sign_in_policy import (
    GROUP_ROLES,
    LONGEST_MINIMUM,
    MOST_REMEMBERED,
    SHORTEST_PASSWORD,
    SignInPolicy,
    current_policy,
)
from accounts.sign_in_policy_services import Rules
from accounts.single_sign_on import provider

# Asked only where the site has an identity provider.
PROVIDER_RULES = ("provider_factors", "group_roles", "admits_unknown", "only_emergency_local")


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
    provider_factors = forms.CharField(
        label="The provider's second factors",
        required=False,
        max_length=400,
        help_text="Values of “amr” or “acr” that you take as a second factor, with commas between: "
        "mfa, otp, hwk. Empty: none; the factor set up here is asked for.",
    )
    group_roles = forms.CharField(
        label="Roles by group at the provider",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "haematology-mls = technician"}),
        help_text="One line each: group = role. At each sign-in the role follows the groups; who "
        "has none of them, or two that differ, is refused. Consultants stay as they are. Empty: "
        "roles are given here alone.",
    )
    admits_unknown = forms.BooleanField(
        label="People unknown here may come in by such a group",
        required=False,
        help_text="Otherwise only those who were invited.",
    )
    only_emergency_local = forms.BooleanField(
        label="Passwords only for emergency accounts",
        required=False,
        help_text="Everybody else signs in at the provider; passkeys and forgotten passwords are "
        "closed to them too. Needs an emergency account with the role of administrator and a "
        "second factor.",
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
            "admits_unknown",
            "only_emergency_local",
        )
        initial = {name: getattr(policy, name) for name in names} | {
            "provider_factors": ", ".join(policy.provider_factors),
            "group_roles": "\n".join(
                f"{group} = {role}" for group, role in sorted(policy.group_roles.items())
            ),
        }
        return cls(data, initial=initial)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not provider.is_configured():
            for name in PROVIDER_RULES:
                del self.fields[name]

    def clean_provider_factors(self) -> tuple[str, ...]:
        """Take the words apart."""
        words = self.cleaned_data["provider_factors"].split(",")
        return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))

    def clean_group_roles(self) -> dict[str, str]:
        """Read a group and its role from each line."""
        found: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["group_roles"].splitlines())):
            group, is_pair, role = (part.strip() for part in line.rpartition("="))
            if not (is_pair and group) or role.lower() not in GROUP_ROLES or group in found:
                roles = ", ".join(GROUP_ROLES)
                words = (
                    f"“{line}”: write each group once, as “group = role”, the role one of {roles}."
                )
                raise forms.ValidationError(words)
            found[group] = role.lower()
        return found

    def rules(self) -> Rules:
        """Return what was asked for; what the page didn't ask stays as it is."""
        names = (each.name for each in fields(Rules))
        asked = {name: self.cleaned_data[name] for name in names if name in self.fields}
        asked["second_factor_roles"] = tuple(Role(role) for role in asked["second_factor_roles"])
        return replace(Rules.of(current_policy()), **asked)
