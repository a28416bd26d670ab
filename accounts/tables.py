"""Tables of the administration pages."""

from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User


def _labelled(label: str) -> dict[str, dict[str, Callable[..., str] | str]]:
    """Name the column in each cell, for the narrow layout that has no header."""
    return {"td": {"data-label": label}}


class UserTable(tables.Table):
    """Accounts, one a row."""

    full_name = tables.Column(
        verbose_name="Name",
        linkify=True,
        attrs={"a": {"class": "row-link"}, **_labelled("Name")},
        order_by=("full_name", "email"),
    )
    email = tables.Column(verbose_name="E-mail", attrs=_labelled("E-mail"))
    role = tables.Column(
        accessor="role_label", verbose_name="Role", attrs=_labelled("Role"), order_by="groups__name"
    )
    state = tables.Column(attrs=_labelled("State"), order_by="account_state")
    last_login = tables.DateTimeColumn(
        format="Y-m-d H:i",
        verbose_name="Last sign-in",
        default="never",
        attrs=_labelled("Last sign-in"),
    )

    class Meta:
        template_name = "accounts/partials/_table.html"
        attrs = {"class": "table table-hover table-cards"}
        order_by = "full_name"

    def __init__(self, *args: Any, locked_emails: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.locked_emails = locked_emails

    def render_full_name(self, record: User) -> str:
        """Print the name as on reports."""
        return record.name_with_title

    def render_state(self, record: User) -> SafeString:
        """Show the state as a chip, and a lock beside it."""
        context = {"account": record, "is_locked": record.email in self.locked_emails}
        return mark_safe(get_template("accounts/partials/_state.html").render(context))  # noqa: S308
