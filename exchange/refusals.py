"""Why a message from another system is not taken, in words and codes that its sender can read."""

SEGMENT_SEQUENCE = "100"
REQUIRED_MISSING = "101"
DATA_TYPE = "102"
NOT_IN_TABLE = "103"
UNSUPPORTED_TYPE = "200"
UNSUPPORTED_EVENT = "201"
UNSUPPORTED_PROCESSING = "202"
UNSUPPORTED_VERSION = "203"
UNKNOWN_KEY = "204"
DUPLICATE_KEY = "205"
LOCKED = "206"
INTERNAL = "207"

MESSAGES = {
    SEGMENT_SEQUENCE: "Segment sequence error",
    REQUIRED_MISSING: "Required field missing",
    DATA_TYPE: "Data type error",
    NOT_IN_TABLE: "Table value not found",
    UNSUPPORTED_TYPE: "Unsupported message type",
    UNSUPPORTED_EVENT: "Unsupported event code",
    UNSUPPORTED_PROCESSING: "Unsupported processing id",
    UNSUPPORTED_VERSION: "Unsupported version id",
    UNKNOWN_KEY: "Unknown key identifier",
    DUPLICATE_KEY: "Duplicate key identifier",
    LOCKED: "Application record locked",
    INTERNAL: "Application internal error",
}
"""HL7 table 0357, message error condition codes."""


class Refusal(Exception):
    """A message can't be taken as it is; nothing of it was kept in the clinical record.

    `code` is of HL7 table 0357 and `location` an ERR-2 such as "PID^1^7". A refusal is an error
    (AE: mend the message) unless `rejects` (AR: this receiver can't take such a message at all).
    The words name fields, never what stands in them: they reach logs.
    """

    def __init__(
        self, text: str, *, code: str = DATA_TYPE, location: str = "", rejects: bool = False
    ) -> None:
        super().__init__(text)
        self.code = code
        self.location = location
        self.rejects = rejects


class Parked(Refusal):
    """A message that only a person can settle; it is kept and waits for one."""
