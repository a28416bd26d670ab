"""Reading and searching signed reports by HL7 FHIR R4 (4.0.1)."""
