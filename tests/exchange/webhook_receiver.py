"""A receiver of webhooks in a process of its own, which may die when it is told to.

Run as a program: ``python -m tests.exchange.webhook_receiver PORT JOURNAL CONVERSATION...``. It
writes each call to the journal, safely, before it does what the conversation says next: a status
(``200``, ``500``), ``die`` (dies with the call read), ``silent`` (reads it and answers nothing
before the caller is gone), ``drip`` (answers a header without end),
``redirect`` (to another address of itself), ``flood`` (an answer without end).
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

JOURNAL = Path(sys.argv[2]) if __name__ == "__main__" else Path()
CONVERSATION = sys.argv[3:]


class Handler(BaseHTTPRequestHandler):
    """Answers each call as the conversation says, then takes all."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = {"path": self.path, "headers": headers, "body": body.decode()}
        with JOURNAL.open("a") as file:
            file.write(json.dumps(said) + "\n")
            file.flush()
            os.fsync(file.fileno())
        word = CONVERSATION.pop(0) if CONVERSATION else "200"
        if word == "die":
            os._exit(1)
        if word == "silent":
            self.rfile.read()
            return
        if word == "drip":
            self._drip()
            return
        self.send_response(302 if word == "redirect" else 200 if word == "flood" else int(word))
        if word == "redirect":
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        if word == "flood":
            self._flood()

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            self.wfile.write(b"a")
            time.sleep(0.05)

    def _flood(self) -> None:
        while True:
            self.wfile.write(b"a" * 65536)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    server.serve_forever()
