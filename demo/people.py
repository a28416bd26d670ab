"""The demonstration laboratory's staff and patients; all of them are invented."""

from dataclasses import dataclass
from datetime import date

from accounts.enums import Role
from classifier.services.patients import Identity

PASSWORD = "purple-granules-42"  # noqa: S105 - invented accounts, printed at every start


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One account of the demonstration laboratory."""

    role: Role
    email: str
    full_name: str
    title: str = ""


STAFF = (
    StaffMember(Role.TECHNICIAN, "technician@demo.example", "Tara Lindqvist", "MLS"),
    StaffMember(Role.PATHOLOGIST, "pathologist@demo.example", "Leila Haddad", "MD"),
    StaffMember(Role.CONSULTANT, "consultant@demo.example", "Cora Whitfield", "MD PhD"),
    StaffMember(Role.ADMINISTRATOR, "administrator@demo.example", "Ada Okafor"),
    StaffMember(Role.ADMINISTRATOR, "records@demo.example", "Ruth Mendel"),
)

PATIENTS = (
    Identity("DEMO-1001", "HVDEMO", "Doe", "Jane", date(1980, 1, 1), "female"),
    Identity("DEMO-1002", "HVDEMO", "Varga", "István", date(1957, 6, 14), "male"),
    Identity("DEMO-1003", "HVDEMO", "Nakamura", "Aiko", date(1991, 11, 30), "female"),
    Identity("DEMO-1004", "HVDEMO", "Mbeki", "Thabo", date(2016, 3, 8), "male"),
    Identity("DEMO-1005", "HVDEMO", "Okafor", "Ngozi", date(1974, 5, 2), "female"),
)
