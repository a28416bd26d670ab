"""HL7 v2 messages coming in: bytes to frozen values, and the replies. Pure functions."""
