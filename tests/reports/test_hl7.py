r"""ORU^R01: what each segment says, read with another library; escapes, character sets."""

import base64
import re
from dataclasses import replace

import hl7
import pytest

from reports.hl7 import CannotBeWritten, encode, render_oru
from reports.hl7.encoding import escape
from tests.reports.contents import make_content, make_signature
from tests.reports.messages import ENVELOPE, PDF, STATUSES, make_full, read, results


def test_segments_stand_in_the_order_of_the_standard() -> None:
    names = [str(segment[0]) for segment in read(make_full())]
    pattern = r"MSH PID ORC OBR TQ1( NTE)+( OBX( NTE)*)+ SPM"
    assert re.fullmatch(pattern, " ".join(names))


def test_every_segment_ends_with_a_carriage_return_alone() -> None:
    text = render_oru(make_full(), PDF, ENVELOPE)
    assert text.endswith("\r")
    assert "\n" not in text


def test_the_header_names_parties_type_version_and_character_set() -> None:
    header = read(make_full()).segment("MSH")
    parties = [str(header[number]) for number in (3, 4, 5, 6)]
    assert parties == ["HEMATOVISION", "HVLAB", "EMR", "GENHOSP"]
    assert [str(header[number]) for number in (9, 10, 12, 18)] == [
        "ORU^R01^ORU_R01",
        "HV0001",
        "2.5.1",
        "UNICODE UTF-8",
    ]
    assert str(header[15]) == ""


def test_results_of_a_demonstration_go_as_training() -> None:
    content = make_full()
    own = replace(content, laboratory=replace(content.laboratory, is_demo=False))
    assert str(read(content).segment("MSH")[11]) == "T"
    assert str(read(own).segment("MSH")[11]) == "P"


def test_enhanced_mode_asks_for_one_answer_when_it_is_stored() -> None:
    text = render_oru(make_full(), None, replace(ENVELOPE, is_enhanced=True))
    header = hl7.parse(text).segment("MSH")
    assert (str(header[15]), str(header[16])) == ("AL", "NE")


def test_the_patient_has_identifier_issuer_name_birth_date_and_sex() -> None:
    patient = read(make_full()).segment("PID")
    assert str(patient[3]) == "DEMO-1002^^^HVDEMO^MR"
    assert str(patient[5]) == "Varga^István^^^^^L"
    assert (str(patient[7]), str(patient[8])) == ("19570614", "M")


def test_the_order_has_both_numbers_the_time_of_collection_and_the_signer() -> None:
    message = read(make_full())
    order, request = message.segment("ORC"), message.segment("OBR")
    assert str(order[1]) == "RE"
    for segment in (order, request):
        assert str(segment[2]) == "ORD555^EMR"
        assert str(segment[3]) == "HV26-000002W^HEMATOVISION"
    assert str(request[4]).split("^")[0] == "69738-3"
    assert str(request[7]) == "20261120073000+0000"
    assert str(request[22]) == "20261120101017+0000"
    assert str(request[24]) == "HM"
    assert str(request[32]) == "7&Leila Haddad, MD"


@pytest.mark.parametrize(("status", "written"), STATUSES.items())
def test_the_status_stands_at_the_order_and_at_each_result(
    status: str, written: tuple[str, str]
) -> None:
    message = read(make_full(status))
    assert str(message.segment("OBR")[25]) == written[0]
    assert {str(segment[11]) for segment in message.segments("OBX")} == {written[1]}


def test_a_share_has_loinc_without_method_unit_count_and_interval() -> None:
    message = read(make_full())
    share = results(message)["26511-6"]
    assert (str(share[2]), str(share[5])) == ("NM", "38.0")
    assert str(share[6]) == "%^percent^UCUM"
    assert str(share[8]) == ""
    note = message[message.index(share) + 1]
    assert str(note[3]).startswith("38 of 100 leukocytes counted; 95 % interval 28.5\u201348.3 %")


def test_an_absolute_count_has_limits_and_flag() -> None:
    found = results(read(make_full()))
    assert [str(found["26499-4"][number]) for number in (5, 6, 7, 8)] == [
        "10.79",
        "10*9/L^10*9 per liter^UCUM",
        "2.0-7.5",
        "H",
    ]
    assert str(found["26449-9"][8]) == "N"
    assert str(found["51584-1"][8]) == ""


def test_without_a_white_count_the_share_is_judged() -> None:
    share = results(read(make_full()))["13046-8"]
    assert (str(share[7]), str(share[8])) == ("0-7", "HH")


def test_a_result_names_method_software_observer_and_laboratory() -> None:
    share = results(read(make_full()))["26511-6"]
    assert str(share[14]) == "20261120073000+0000"
    assert str(share[16]) == "7^Leila Haddad, MD^^^^^^^HVLAB"
    assert str(share[17]).startswith("ai_assisted^AI-assisted, human-verified")
    assert str(share[18]) == "hematovision-cells 1.0.0^HEMATOVISION"
    assert str(share[19]) == "20261120101017+0000"
    assert str(share[23]) == (
        "Haematology Laboratory, St Anne's Hospital^L^^^^CLIA^XX^^^99D9999999"
    )
    assert str(share[24]) == "12 Harbour Road^Port Example EX1 2MP^^^^^B"
    assert str(share[25]) == "^Leila Haddad, MD"


def test_cells_named_by_eye_alone_are_a_manual_count() -> None:
    content = make_full()
    by_eye = replace(content, reading=replace(content.reading, read_by_software=0, software=()))
    share = results(read(by_eye))["23761-0"]
    assert str(share[17]).startswith("by_eye^")
    assert str(share[18]) == ""


def test_the_white_count_is_the_analysers_and_the_corrected_one_is_judged() -> None:
    found = results(read(make_full()))
    assert (str(found["6690-2"][5]), str(found["6690-2"][8])) == ("28.40", "")
    assert str(found["6690-2"][17]).startswith("analyser^")
    assert str(found["6690-2"][19]) == "20261120081000+0000"
    corrected = found["26464-8"]
    assert [str(corrected[number]) for number in (5, 7, 8)] == ["27.57", "4.0-11.0", "H"]


def test_nucleated_red_cells_are_given_per_100_leukocytes() -> None:
    found = results(read(make_full()))["19048-8"]
    assert (str(found[5]), str(found[6]).split("^")[0]) == ("3.0", "/100{WBCs}")


def test_platelets_are_an_estimate() -> None:
    found = results(read(make_full()))["49497-1"]
    assert [str(found[number]) for number in (5, 7, 8)] == ["186", "150-400", "N"]


def test_morphology_has_a_sentence_and_each_grade() -> None:
    found = results(read(make_full()))
    assert str(found["58408-6"][5]) == "Red cells: schistocytes 2+."
    assert (str(found["schistocytes"][2]), str(found["schistocytes"][5])) == ("ST", "2+")


def test_critical_results_say_who_was_told() -> None:
    message = read(make_full())
    critical = results(message)["critical_results"]
    assert str(critical[5]).startswith("Blast 17 seen")
    note = str(message[message.index(critical) + 1][3])
    assert "Told and read back; Dr. Rossi, Ward 3; by Tara Lindqvist, MLS" in note


def test_a_correction_says_what_was_said_before_and_why() -> None:
    message = read(make_full("corrected"))
    notes = [str(note[3]) for note in message.segments("NTE")]
    assert any("Supersedes version 1" in note and "A cell was misread." in note for note in notes)
    assert "Interpretation: was None, is Seen again with \\F\\ and \\S\\." in notes


def test_an_addition_is_a_result_of_its_own() -> None:
    found = results(read(make_full("appended")))
    assert str(found["addition 1"][5]) == "Interpretation: Seen again with \\F\\ and \\S\\."
    assert "addition 1" not in results(read(make_full("corrected")))


def test_a_withdrawal_says_who_asked_and_who_confirmed() -> None:
    notes = [str(note[3]) for note in read(make_full("entered-in-error")).segments("NTE")]
    assert any(
        note.startswith("WITHDRAWN") and "confirmed by Ada Administrator" in note for note in notes
    )


def test_the_pdf_is_the_signed_file_in_base64() -> None:
    found = results(read(make_full()))["11502-2"]
    application, kind, form, coding, data = str(found[5]).split("^")
    assert (application, kind, form, coding) == ("HEMATOVISION", "AP", "PDF", "Base64")
    assert base64.b64decode(data, validate=True) == PDF


def test_without_a_pdf_there_is_no_such_result() -> None:
    assert "11502-2" not in results(read(make_full(), None))


def test_the_specimen_has_our_number_kind_times_and_condition() -> None:
    specimen = read(make_full()).segment("SPM")
    assert str(specimen[2]) == "^HV26-000002W-1&HEMATOVISION"
    assert str(specimen[4]).startswith("BLDV^Blood venous^HL70487")
    assert str(specimen[14]) == "Smear, May-Grünwald-Giemsa"
    assert str(specimen[17]) == "20261120073000+0000"
    assert str(specimen[18]) == "20261120081000+0000"


def test_snomed_is_sent_only_to_who_has_a_licence() -> None:
    text = render_oru(make_full(), None, replace(ENVELOPE, sends_snomed=True))
    assert str(hl7.parse(text).segment("SPM")[4]).startswith("445295009^")


def test_what_a_field_cannot_hold_stands_in_a_note() -> None:
    content = make_full()
    long = replace(content, request=replace(content.request, clinical_details="word " * 80))
    message = read(long)
    assert str(message.segment("OBR")[13]) == ""
    assert any("Clinical details: word" in str(note[3]) for note in message.segments("NTE"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b^c&d~e\\f", "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"),
        ("one\r\ntwo\rthree\n", "one\\.br\\two\\.br\\three\\.br\\"),
        ("\x0bframe\x1c", "\\X0B\\frame\\X1C\\"),
    ],
)
def test_what_would_end_a_field_is_escaped(text: str, written: str) -> None:
    assert escape(text) == written


def test_no_name_can_break_out_of_its_field() -> None:
    content = make_full()
    patient = replace(content.patient, family_name="O|Brien^A\rOBX|9", given_name="~&\\")
    message = read(replace(content, patient=patient))
    assert str(message.segment("PID")[5]) == (
        "O\\F\\Brien\\S\\A\\.br\\OBX\\F\\9^\\R\\\\T\\\\E\\^^^^^L"
    )


def test_a_letter_that_the_receiver_lacks_is_named_and_nothing_is_written() -> None:
    content = make_full()
    patient = replace(content.patient, family_name="Őry")
    text = render_oru(replace(content, patient=patient), None, ENVELOPE)
    with pytest.raises(CannotBeWritten, match=r"8859/1 has no Ő \(U\+0150\)"):
        encode(text, "8859/1")
    assert "Őry".encode("iso8859-2") in encode(text, "8859/2")


def test_signs_of_typography_have_plain_forms() -> None:
    text = "4\u201311 \u00d7 10\u2079/L \u2264 \u201cx\u201d"
    assert encode(text, "ASCII") == b'4-11 x 10*9/L <= "x"'
    assert encode(text, "UNICODE UTF-8") == text.encode()


def test_a_draft_is_never_a_message() -> None:
    with pytest.raises(ValueError, match="signed"):
        render_oru(make_content(), None, ENVELOPE)


def test_the_same_content_gives_the_same_message() -> None:
    content = make_content().signed(make_signature())
    assert render_oru(content, PDF, ENVELOPE) == render_oru(content, PDF, ENVELOPE)
