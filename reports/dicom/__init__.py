"""DICOM: a field of the smear as a microscopic image, a signed report as an encapsulated PDF."""
