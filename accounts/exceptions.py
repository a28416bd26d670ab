"""What can go wrong with accounts, in sentences an administrator understands."""


class AccountError(Exception):
    """A request about an account that the rules refuse."""


class NotPermitted(AccountError):
    """The person asking holds no permission for this."""


class EmailTaken(AccountError):
    """An account with this e-mail exists already."""


class WrongState(AccountError):
    """The account isn't in a state that allows this."""


class ReasonMissing(AccountError):
    """This change has to be explained."""


class OwnAccount(AccountError):
    """Nobody does this to their own account."""


class LastAdministrator(AccountError):
    """Somebody has to remain who can let people in."""


class InvitationInvalid(AccountError):
    """The link is wrong, used, replaced or too old."""


class DutyRefused(AccountError):
    """This person can't be given this duty, or it can't be withheld from them."""
