"""One supervisor for all of the site's processes on one machine: `make run`."""
