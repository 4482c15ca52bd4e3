"""A long stream with known content, sent and checked at the same time.

The content repeats after a length that divides no buffer and no segment, so
that a lost, doubled or misplaced piece is seen.
"""
import random
import threading

from guest import PATIENCE_S

PERIOD = (1 << 20) - 3
CHUNK = 1 << 16
PATTERN = random.Random(20240229).randbytes(PERIOD)
_TWICE = PATTERN + PATTERN[:CHUNK]


def piece(position, length):
    """`length` bytes (at most CHUNK) of the stream from `position`."""
    start = position % PERIOD
    return _TWICE[start:start + length]


def send(link, total):
    """Send the whole stream, and close our direction."""
    at = 0
    while at < total:
        data = piece(at, min(CHUNK, total - at))
        link.sendall(data)
        at += len(data)
    link.shutdown(1)


def receive(link, total):
    """Read to the end of the stream: exactly `total` right bytes."""
    at = 0
    while True:
        data = link.recv(CHUNK)
        if not data:
            break
        assert data == piece(at, len(data)), f"wrong within {CHUNK} of {at}"
        at += len(data)
    assert at == total, f"the stream ended at {at} of {total}"


def echo(link, total):
    """`total` bytes up and down at once through an echo server; closes."""
    link.settimeout(PATIENCE_S)
    errors = []

    def sender():
        try:
            send(link, total)
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=sender, daemon=True)
    thread.start()
    try:
        receive(link, total)
    finally:
        thread.join(1 if errors else PATIENCE_S)
        link.close()
    assert not errors, errors


def reset(link):
    """Drop the connection: the peer gets RST."""
    link.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER, 0 s
    link.close()
