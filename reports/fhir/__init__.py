"""The signed report as FHIR R4 (4.0.1) resources: pure functions of its content.

A resource is the plain JSON value of the standard: dicts, lists, text and exact decimals.
"""
