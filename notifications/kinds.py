"""What people can be told of: a registry that each application fills when it is ready.

A kind follows actions of the audit trail. So nothing that is recorded can be forgotten to be
told, and no service that does something has to know who wants to hear of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import AuditEvent, User

Audience = Callable[["AuditEvent"], Iterable["User"]]
Address = Callable[["AuditEvent"], str]


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind of notice: the actions it follows, whom it concerns, and where it leads.

    ``title`` stands in mails: it names nobody and nothing. ``duty`` is what makes the kind
    of interest to somebody at all. ``audience`` may be empty; who did it is never told.
    ``is_urgent`` kinds can't be turned off inside the application.
    """

    name: str
    title: str
    actions: tuple[str, ...]
    duty: str
    audience: Audience
    address: Address
    in_app: bool = True
    by_mail: bool = False
    is_urgent: bool = False


KINDS: dict[str, NoticeKind] = {}
_BY_ACTION: dict[str, list[NoticeKind]] = {}


def register_kinds(*kinds: NoticeKind) -> None:
    """Make kinds known; the same name can't mean two things."""
    for kind in kinds:
        if kind.name in KINDS:
            raise ValueError(f"Notice {kind.name!r} is already registered.")
        KINDS[kind.name] = kind
        for action in kind.actions:
            _BY_ACTION.setdefault(action, []).append(kind)


def kinds_following(action: str) -> Iterable[NoticeKind]:
    """Return the kinds that follow an action."""
    return _BY_ACTION.get(action, ())


def kinds_for(duties: Callable[[str], bool]) -> list[NoticeKind]:
    """Return the kinds that concern whoever holds ``duties``, the urgent first."""
    found = [kind for kind in KINDS.values() if duties(kind.duty)]
    return sorted(found, key=lambda kind: not kind.is_urgent)
