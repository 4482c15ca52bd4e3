"""What is asked of a guest over its TAP device, from its own namespace.

Each load does its work and returns how much it did; the clock is looked at by
who calls it, except where a tool has its own.
"""
import re
import socket
import subprocess
import sys
import time

import guest as guests
import netns

HOUR_S = 3600
PORT_HTTP, PORT_ECHO, PORT_DISCARD, PORT_SOURCE = 80, 7, 9, 19
URL = f"http://{netns.GUEST_ADDRESS}/healthz"
CHUNK = 1 << 18


def one_by_one(namespace, count):
    """Requests on one connection, each sent when the last is answered."""
    request = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"
    link = namespace.connect(PORT_HTTP, guests.PATIENCE_S)
    with link:
        for _ in range(count):
            link.sendall(request)
            data = b""
            while not data.endswith(b"\r\n\r\nok\n"):
                more = link.recv(CHUNK)
                assert more, data
                data += more
    return count


CLOSE = ("-H", "Connection: close")
# Fields of which one is another with each request, and those of a browser.
OTHER_FIELDS = ("-s", str(guests.ROOT / "tests/bench/other_fields.lua"))
BROWSER = tuple(word for field in (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
    "Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
    "image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-User: ?1",
    "Priority: u=0, i") for word in ("-H", field))


def wrk(namespace, connections, seconds, more=()):
    """`more`: arguments of wrk, such as those above.
    Returns (requests per second, requests, {percentile: microseconds})."""
    run = namespace.run("wrk", f"-t{min(2, connections)}", f"-c{connections}",
                        f"-d{seconds}s", "--latency", "--timeout", "60s",
                        *more, URL, timeout_s=HOUR_S)
    assert run.returncode == 0 and "Socket errors" not in run.stdout and \
        "Non-2xx" not in run.stdout, run.stdout
    unit = {"us": 1, "ms": 1000, "s": 1000000}
    percentiles = {name: float(value) * unit[word] for name, value, word in
                   re.findall(r"(\d+)% +([\d.]+)(us|ms|s)\b", run.stdout)}
    return (float(re.search(r"Requests/sec: +([\d.]+)", run.stdout)[1]),
            int(re.search(r"(\d+) requests in", run.stdout)[1]), percentiles)


def apache_bench(namespace, connections, count):
    """A connection for each request; requests per second."""
    run = namespace.run("ab", "-l", "-q", "-s", "300", "-n", str(count), "-c",
                        str(connections), URL, timeout_s=HOUR_S)
    assert run.returncode == 0 and re.search(
        r"Failed requests: +0\b", run.stdout), run.stdout
    return float(re.search(r"Requests per second: +([\d.]+)", run.stdout)[1])


def bulk_out(namespace, total):
    """Receive from the guest; returns KiB."""
    with namespace.connect(PORT_SOURCE, guests.PATIENCE_S) as link:
        room, left = bytearray(CHUNK), total
        while left > 0:
            got = link.recv_into(room)
            assert got, "the stream ended"
            left -= got
    return (total - left) / 1024


def bulk_in(namespace, total):
    """Send to the guest, until it has all; returns KiB."""
    data = bytes(CHUNK)
    with namespace.connect(PORT_DISCARD, guests.PATIENCE_S) as link:
        for _ in range(0, total, CHUNK):
            link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        assert link.recv(1) == b"", "data from a server that has none"
    return total / 1024


def udp_echo(namespace, count, payload=bytes(64), at_once=16):
    """Datagrams there and back, `at_once` on their way; returns how many."""
    def make():
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.connect((netns.GUEST_ADDRESS, PORT_ECHO))
        link.settimeout(2)
        return link

    answered = 0
    with namespace.call(make) as link:
        while answered < count:
            for _ in range(at_once):
                link.send(payload)
            for _ in range(at_once):
                assert link.recv(2048) == payload
            answered += at_once
    return answered


class Parked:
    """Connections that are open and silent, held by a program of its own. They
    come from addresses of their own, so that other loads find their ports."""

    PER_ADDRESS = 15000  # each is a file of one process: 20,000 are usual

    def __init__(self, namespace, count):
        network = netns.HOST_ADDRESS.rsplit(".", 1)[0]
        sources = [f"{network}.{100 + number}" for number in
                   range(-(-count // self.PER_ADDRESS))]
        for source in sources:
            namespace.ip("address", "replace", f"{source}/32", "dev", netns.TAP)
        self.process = subprocess.Popen(
            [*namespace.prefix, sys.executable, "-B",
             str(guests.ROOT / "tests/bench/parked.py"), netns.GUEST_ADDRESS,
             str(PORT_HTTP), str(count), *sources],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line == f"{count} held\n", line

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def timed(work, *arguments):
    """work(*arguments) as a rate: how much it did each second."""
    began = time.monotonic()
    done = work(*arguments)
    return done / (time.monotonic() - began)
