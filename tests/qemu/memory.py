"""What a guest's /status page says about memory, and what a load left there.

Four things may differ between two times of rest, and each has its bound: the
receive ring is refilled in batches; stacks of ended threads are pooled, one
for each that ran at the same time; newlib's malloc gives back 128 KiB at a
time; a TIME-WAIT entry stays for its time.
"""
import time

import web
from guest import PATIENCE_S

EQUAL = ("pages_device", "pages_table", "flows", "flow_threads", "threads")
HEAP_PAGES = 32
RX_RING = 256  # buffers that the card holds at most
STACK_PAGES = 5  # with its guard


def read(namespace):
    """The status, by a connection that is over when this returns."""
    status = web.status(lambda: web.Browser(
        namespace.connect(80, PATIENCE_S)))
    owners = sum(value for name, value in status.items()
                 if name.startswith("pages_")
                 and name not in ("pages_total", "pages_free"))
    assert status["pages_total"] - status["pages_free"] == owners, \
        "the pages in use are the sum over their owners"
    return status


def left_behind(before, after, at_once, time_waits):
    """What the load between two statuses has not given back, in words.

    at_once:    how many connections it had at the same time.
    time_waits: how many entries may still be there.
    """
    bounds = {
        **{name: before[name] for name in EQUAL},
        "pages_heap": before["pages_heap"] + HEAP_PAGES,
        "net_conns": 1,  # that of the status itself
        "net_buffers": RX_RING + 8,
        "pages_stack": before["pages_stack"] + STACK_PAGES * at_once,
        "net_time_waits": time_waits,
    }
    return [f"{name}: {after[name]}, at most {most}"
            for name, most in bounds.items() if after[name] > most]


def assert_nothing_left(namespace, before, at_once=64, time_waits=1 << 20):
    """Wait until everything is given back that was taken since `before`."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        left = left_behind(before, read(namespace), at_once, time_waits)
        if not left:
            return
        assert time.monotonic() < limit, left
        time.sleep(0.2 if time_waits > 1000 else 5)
