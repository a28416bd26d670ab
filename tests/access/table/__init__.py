"""Every address of the site and every role: the one table, which test_doors.py holds to the site.

RULE: whoever adds a route adds its line to a part in this folder, in the order of the routes. Run
``pytest tests/access``: it prints the line that fits what the new address does now. Read it sign
by sign before you paste it: is that whom the address is for? Then ``python -m tests.access``
writes docs/permissions.md anew. What people without patients may open stands in outside.py too.

A line holds what GET and what POST (empty) say to each, in this order:

    stranger, technician, pathologist, administrator, consultant, learner

``+`` open (the page, its form, or a word about what was sent), ``>`` sent to sign in, ``-``
refused (403), ``.`` nothing there that they may see (404), ``x`` no such method (405). Lines of
the API name the scope that each method needs; which roles may hold it follows from the duties.
"""

from tests.access.lines import Line
from tests.access.table.accounts import ACCOUNTS
from tests.access.table.boards import BOARDS
from tests.access.table.clinical import CLINICAL
from tests.access.table.programs import PROGRAMS
from tests.access.table.results import RESULTS

PARTS = (ACCOUNTS, RESULTS, BOARDS, PROGRAMS, CLINICAL)
TABLE: dict[str, Line] = {name: line for part in PARTS for name, line in part.items()}
