"""Messages as other systems send them, for tests."""

from datetime import UTC, datetime, timedelta

CR = "\r"
NOW = datetime.now(UTC)
"""One moment for the whole run: a message that is made twice is the same message."""


def stamp(hours_ago: float = 0) -> str:
    """Return a moment some hours ago as HL7 writes it."""
    moment = NOW - timedelta(hours=hours_ago)
    return f"{moment:%Y%m%d%H%M%S}+0000"


def header(
    kind: str = "OML^O21^OML_O21",
    *,
    control_id: str = "MSG0001",
    version: str = "2.5.1",
    charset: str = "UNICODE UTF-8",
    modes: str = "|",
    processing: str = "P",
) -> str:
    """Return an MSH segment; `modes` is MSH-15 and MSH-16 with the bar between them."""
    return (
        f"MSH|^~\\&|ORDERS|GENHOSP|HEMATOVISION|HVLAB|{stamp()}||{kind}|{control_id}"
        f"|{processing}|{version}|||{modes}||{charset}"
    )


PID = "PID|1||MRN00777^^^GENHOSP^MR||Doe^Jane^^^^^L||19800101|F"
TEST = "69738-3^Differential panel^LN"


def oml(
    *,
    control: str = "NW",
    placer: str = "ORD555",
    control_id: str = "MSG0001",
    pid: str = PID,
    test: str = TEST,
    priority: str = "S",
    clinical: str = "Pallor, fever",
    collected: str | None = None,
    received: str | None = None,
    specimen: str = "445295009^Blood specimen with EDTA^SCT",
    end: str = CR,
    **head: str,
) -> bytes:
    """Return an OML^O21 order with one specimen."""
    collected = stamp(3) if collected is None else collected
    received = stamp(2) if received is None else received
    lines = [
        header(control_id=control_id, **head),
        pid,
        f"ORC|{control}|{placer}^EMR|||||||{stamp(4)}|||1234567893^Okafor^Ada^^^Dr",
        f"TQ1|1||||||||{priority}",
        f"OBR|1|{placer}^EMR||{test}|||{collected}||||||{clinical}",
        "NTE|1||Known thalassaemia trait",
        "DG1|1||D64.9^Anaemia, unspecified^I10",
        f"SPM|1|||{specimen}|||||||||||||{collected}|{received}",
    ]
    return (end.join(lines) + end).encode()


def orm(
    *, control: str = "NW", placer: str = "ORD9", control_id: str = "OLD1", version: str = "2.3"
) -> bytes:
    """Return an ORM^O01 of an old system: no structure, no specimen, plain ASCII."""
    lines = [
        header("ORM^O01", control_id=control_id, version=version, charset=""),
        "PID|||MRN00888||Roe^Richard||19550505|M",
        "PV1||I|WARD3",
        f"ORC|{control}|{placer}|||||^^^^^A||{stamp(5)[:12]}|||ABC12^House^Gregory",
        f"OBR|1|{placer}||DIFF^Manual differential^L^24318-8^Differential^LN",
    ]
    return (CR.join(lines) + CR).encode()


def adt_a40(
    *,
    control_id: str = "ADT1",
    pid: str = PID,
    mrg: str = "MRG|MRN00778^^^GENHOSP^MR||||||Doe^Jane",
    kind: str = "ADT^A40^ADT_A39",
) -> bytes:
    """Return an ADT^A40: the record in MRG goes into the one in PID."""
    segments = [header(kind, control_id=control_id), f"EVN|A40|{stamp(1)}", pid, mrg]
    return (CR.join(filter(None, segments)) + CR).encode()


def oru(
    accession: str,
    *,
    control_id: str = "RES1",
    wbc: str = "NM|6690-2^Leukocytes^LN||7.25|10*3/uL^^UCUM",
    status: str = "F",
    hours_ago: float = 0.5,
    mrn: str = "",
) -> bytes:
    """Return an ORU^R01 of an analyser: white count, platelets, nucleated red cells, others."""
    when = stamp(hours_ago)
    tail = f"|3.5-11|H|||{status}|||{when}||||SN123"
    values = [
        wbc,
        "NM|777-3^Platelets^LN||250|10^3/uL",
        "SN|58413-6^NRBC^LN||^1.5|/100{WBCs}^^UCUM",
        "NM|789-8^Erythrocytes^LN||4.5|10*6/uL",
    ]
    lines = [
        header("ORU^R01^ORU_R01", control_id=control_id).replace("|ORDERS|", "|XN|"),
        *([f"PID|1||{mrn}"] if mrn else []),
        f"OBR|1||{accession}|57021-8^CBC^LN|||{when}",
        *(f"OBX|{n}|{value}{tail}" for n, value in enumerate(values, start=1)),
    ]
    return (CR.join(lines) + CR).encode()


def astm(accession: str, *, wbc: str = "5.80", unit: str = "10*3/uL", name: str = "XN-20") -> bytes:
    """Return a message of an analyser in E1394 records, its sample number in O-4 as Sysmex does."""
    when = stamp(0.5)[:14]
    lines = [
        f"H|\\^&|||{name}^00-01^11001^^^^12345||||||||LIS2-A2|{when}",
        "P|1|||100|^Doe^Jane||19800101|F",
        "C|1||Fasting",
        f"O|1||{'2^1^'}{accession:>22}^B|^^^^WBC\\^^^^PLT|||||||N||||||||||||||F",
        f"R|1|^^^^WBC^1|{wbc}|{unit}||N||F||||{when}",
        f"R|2|^^^^PLT^1|31|10*4/uL||L||F||||{when}",
        f"R|3|^^^^NRBC%^1|0.4|%||A||F||||{when}",
        f"R|4|^^^^RBC^1|4.50|10*6/uL||N||F||||{when}",
        f"R|5|^^^^NRBC#^1|----|10*3/uL||||F||||{when}",
        "L|1|N",
    ]
    return (CR.join(lines) + CR).encode()
