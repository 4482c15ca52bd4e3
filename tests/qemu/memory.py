"""What a guest's /status page says about memory, and when it is at rest."""
import time

import web
from guest import PATIENCE_S

# What a load may not leave behind. TIME-WAIT entries are none of it: they
# stay for their time, in memory that is theirs.
AT_REST = ("pages_heap", "pages_stack", "pages_net", "pages_device",
           "net_buffers", "flows", "flow_threads", "threads")


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


def at_rest(status):
    return {name: status[name] for name in AT_REST}


def settled(namespace, wanted=None):
    """Wait until the connections of a load are gone (and `wanted` is reached):
    the last status. What does not settle is for the test to judge."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        status = read(namespace)
        quiet = status["net_conns"] - status["net_time_waits"] <= 1
        done = at_rest(status) == wanted if wanted else quiet
        if done or time.monotonic() > limit:
            return status
        time.sleep(0.2)
