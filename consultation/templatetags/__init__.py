"""Parts of opinions and discussion that pages of other applications show."""
