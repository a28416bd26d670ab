"""What machine and human say of a cell, and the finding that follows from the two."""

from collections.abc import Mapping
from dataclasses import dataclass

from classifier.enums import CellType


@dataclass(frozen=True, slots=True)
class Mark:
    """What machine ("" if no run succeeded) and human ("" if none) say of one cell."""

    machine_type: str
    is_referred: bool
    human_type: str

    @property
    def finding(self) -> str:
        """The human's word, else the machine's; a referred cell is unidentified until named."""
        if self.human_type:
            return self.human_type
        return CellType.UNIDENTIFIED if self.is_unresolved else self.machine_type

    @property
    def is_unresolved(self) -> bool:
        """True while a referred or unread cell waits for a human."""
        return not self.human_type and (self.is_referred or not self.machine_type)

    @property
    def is_changed(self) -> bool:
        """True where the human overruled a class that the machine was sure of."""
        is_sure = bool(self.machine_type) and not self.is_referred
        return is_sure and bool(self.human_type) and self.human_type != self.machine_type


def likeliest(probabilities: Mapping[str, float] | None) -> str:
    """Return the class with the highest probability, "" where the machine read nothing."""
    if not probabilities:
        return ""
    return max(probabilities, key=lambda name: probabilities[name])
