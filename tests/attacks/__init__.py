"""What somebody who means harm might try."""
