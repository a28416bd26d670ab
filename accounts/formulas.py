"""Text for spreadsheets that none of them runs as a formula (OWASP, "CSV Injection")."""

# A cell that begins so may be run as a formula, or hide one behind what a spreadsheet strips.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def inert(text: str) -> str:
    """Return the text, after an apostrophe if a spreadsheet might run it."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
