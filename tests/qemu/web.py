"""Talking HTTP to a guest, byte by byte: what http.client would hide."""
import re
import socket

from guest import PATIENCE_S


class Answer:
    """One HTTP answer: status, fields (lower-case names), body."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, _reason = lines[0].split(" ", 2)
        self.status = int(status)
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.fields[name.lower()] = value.strip()
        self.body = body


class Browser:
    """One connection. `link` is a connected socket."""

    def __init__(self, link):
        self.link, self.rest = link, b""
        link.settimeout(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.link.close()

    def send(self, data):
        self.link.sendall(data)

    def _more(self):
        data = self.link.recv(1 << 16)
        if not data:
            raise EOFError(f"closed after {self.rest!r}")
        self.rest += data

    def answer(self, body_expected=True):
        """The next answer; its body must be as long as it says."""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        result = Answer(head, b"")
        length = int(result.fields.get("content-length", 0))
        if body_expected:
            while len(self.rest) < length:
                self._more()
            result.body, self.rest = self.rest[:length], self.rest[length:]
        return result

    def get(self, target="/", version="HTTP/1.1", more=""):
        self.send(f"GET {target} {version}\r\nHost: guest\r\n{more}\r\n"
                  .encode("latin-1"))
        return self.answer()

    def at_end(self):
        """Wait for the end of the stream: nothing may come before it."""
        try:
            return not self.rest and self.link.recv(1) == b""
        except ConnectionResetError:
            return False


def browse(port, address="127.0.0.1"):
    return Browser(socket.create_connection((address, port), PATIENCE_S))


def status(connect):
    """http_hello's /status as a dictionary: counters and memory by name."""
    with connect() as browser:
        text = browser.get("/status", more="Connection: close\r\n").body
    return {name: int(value) for name, value in
            re.findall(r"^([\w.]+)[ :]+(\d+)$", text.decode(), re.M)}
