"""What `manage.py classify` does, a step a module."""
