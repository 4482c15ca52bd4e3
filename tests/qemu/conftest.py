"""Fixtures, and what every failure report carries: the guests' consoles."""
import os

import pytest

import guest as guests
import netns
import peer as peers


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true",
                     help="the long versions, for hours rather than minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: only in make soak")


# What shows the most in the least time comes first; the rest after it.
ORDER = ("boot", "http", "image", "libc", "raw", "raw_tcp", "raw_tcp_options",
         "echo", "run", "dhcp", "dns")
LAST = ("features", "impaired", "tap", "abuse")


def place(item):
    name = item.path.stem[len("test_"):]
    if name in LAST:
        return len(ORDER) + 1 + LAST.index(name)
    return ORDER.index(name) if name in ORDER else len(ORDER)


def pytest_collection_modifyitems(config, items):
    """Quick mode leaves the soak tests out; it does not skip them."""
    items.sort(key=place)
    if config.getoption("--soak"):
        return
    out = [item for item in items if item.get_closest_marker("soak")]
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=out)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """As root nothing is skipped; a failure shows the consoles."""
    report = (yield).get_result()
    if report.skipped and os.geteuid() == 0:
        report.outcome = "failed"
        report.longrepr = f"skipped although we are root: {report.longrepr}"
    if report.failed:
        for one in getattr(item, "guests", []):
            report.sections.append((f"console of {one.image}", one.report()))


class Guests(list):
    """The guests that one test, or one module, has started."""

    def __call__(self, app, args="", **options):
        one = guests.Guest(app, args, **options)
        self.append(one)
        return one

    def end(self):
        for one in self:
            one.kill()


@pytest.fixture
def start(request):
    """start("http_hello", net=...): a Guest, ended with the test."""
    started = Guests()
    request.node.guests = started
    yield started
    started.end()


@pytest.fixture(scope="module")
def start_shared():
    """The same for a guest that the tests of a module share."""
    started = Guests()
    yield started
    started.end()


@pytest.fixture(scope="module")
def peer(start_shared):
    """A host on the wire of a guest that serves HTTP, which the tests of a
    module share."""
    one = start_shared("http_hello", net=guests.WireNet()).ready()
    return peers.Peer(one.net)


@pytest.fixture
def serves_on(peer):
    """Whatever the test has sent, the guest serves after it."""
    yield
    assert peer.get() == b"ok\n"


@pytest.fixture
def conn(peer):
    """An established connection, on which nothing has been said."""
    one = peers.Conn(peer)
    one.open()
    yield one
    one.abort()


@pytest.fixture(autouse=True)
def shared_consoles(request):
    """A shared guest's console belongs to each report of its module."""
    if "start_shared" in request.fixturenames and \
            not hasattr(request.node, "guests"):
        request.node.guests = request.getfixturevalue("start_shared")
    yield


@pytest.fixture(scope="session")
def soak(request):
    return request.config.getoption("--soak")


@pytest.fixture(scope="module")
def namespace():
    """A namespace with a TAP device; only root can have one."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a network namespace with a TAP device")
    one = netns.Namespace()
    yield one
    one.remove()
