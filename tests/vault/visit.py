"""Signs in to the laboratory that the settings name, opens a report, and tells what it got.

python -m tests.vault.visit E-MAIL PASSWORD REPORT
"""

import hashlib
import json
import sys

import django


def main(email: str, password: str, report: str) -> None:
    django.setup()

    from django.test import Client
    from django.urls import reverse

    client = Client(headers={"host": "localhost"})
    entry = client.post(reverse("account_login"), {"login": email, "password": password})
    page = client.get(reverse("reports:report_detail", args=[report]))
    pdf = client.get(reverse("reports:report_pdf", args=[report]))
    told = {
        "entry": entry.status_code,
        "page": page.status_code,
        "pdf": hashlib.sha256(pdf.getvalue()).hexdigest(),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
