"""What somebody signed keeps their name, whatever becomes of the account."""

from accounts import services
from accounts.models import User
from classifier.models import Case
from reports.models import Report
from reports.services.reading import read_pdf
from tests.browsing import SignIn
from tests.pages import words_of
from tests.reports.conftest import Sign


def test_a_report_keeps_the_name_and_signature_of_who_left(
    ready_case: Case, sign: Sign, pathologist: User, administrator: User, client_for: SignIn
) -> None:
    report = sign(ready_case)
    before = read_pdf(report, actor=administrator)
    services.change_details(
        actor=administrator, user=pathologist, full_name="Paula Married", title="MD"
    )
    services.deactivate_user(actor=administrator, user=pathologist, reason="Retired.")
    kept = Report.objects.get(pk=report.pk)
    assert kept.sign_off.signer_name == "Paul Pathologist"
    assert read_pdf(kept, actor=administrator) == before
    reader = client_for(administrator)
    assert "Paul Pathologist" in words_of(reader.get(report.get_absolute_url()))
    services.reactivate_user(actor=administrator, user=pathologist, reason="Came back.")
    assert "Paul Pathologist" in words_of(reader.get(report.get_absolute_url()))
    assert kept.sign_off.signer == pathologist
