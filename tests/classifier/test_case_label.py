"""The printed label of a case and its bar code."""

from xml.etree import ElementTree

from django.test import Client
from django.urls import reverse

from classifier.models import Case


class TestLabel:
    def test_the_label_names_patient_and_case(self, desk: Client, case: Case) -> None:
        page = desk.get(reverse("classifier:case_label", args=[case.pk])).content.decode()
        for text in ("DOE, Jane", "1980-01-01", "MRN00123", case.accession_number):
            assert text in page

    def test_the_symbol_is_code_128_with_quiet_zones(self, desk: Client, case: Case) -> None:
        response = desk.get(reverse("classifier:case_barcode", args=[case.pk]))
        assert response["Content-Type"] == "image/svg+xml"
        symbol = ElementTree.fromstring(response.content)
        width = int(symbol.attrib["viewBox"].split()[2])
        bars = [(int(bar.attrib["x"]), int(bar.attrib["width"])) for bar in symbol]
        # Every Code 128 character is 11 modules wide with three bars; the stop has 13 and four.
        characters, rest = divmod(width - 20 - 13, 11)
        assert rest == 0
        assert len(bars) == 3 * characters + 4
        assert bars[0][0] == 10
        assert bars[-1][0] + bars[-1][1] == width - 10
