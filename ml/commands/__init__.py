"""The commands of `python -m ml`, a module each, with `add_to(commands)`."""
