"""What strangers learn of the image, and what they can keep others from: nmap
cannot predict it, and a flood of SYNs from everywhere keeps nobody out."""
import re
import subprocess
import time

import pytest

import guest as guests
import netns

SYNS_PER_SECOND = 2000  # a TAP queue of 500 frames loses none of these
CLIENTS = 20
CONNECT_S = 30
URL = f"http://{netns.GUEST_ADDRESS}/healthz"


@pytest.fixture
def serving(start, namespace):
    start("http_hello", net=guests.TapNet(namespace, netns.TAP)).ready()
    return namespace


def counter(namespace, name):
    status = namespace.run("curl", "-s", "--max-time", str(CONNECT_S),
                           f"http://{netns.GUEST_ADDRESS}/status",
                           timeout_s=2 * CONNECT_S)
    assert re.search(r"^tcp_rx \d", status.stdout, re.M), status.stdout
    found = re.search(rf"^{name} (\d+)$", status.stdout, re.M)
    return int(found[1]) if found else 0  # what is zero is not told


def wait_until(condition):
    end = time.monotonic() + CONNECT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_nmap_can_predict_neither_numbers_nor_ids(serving):
    scan = serving.run("nmap", "-n", "-Pn", "-O", "-v", "-p", "80,81",
                       netns.GUEST_ADDRESS, timeout_s=300)
    assert re.search(r"80/tcp +open", scan.stdout), scan.stdout
    assert re.search(r"81/tcp +closed", scan.stdout), scan.stdout
    assert "(Good luck!)" in scan.stdout, scan.stdout
    ids = re.search(r"IP ID Sequence Generation: (.*)", scan.stdout)
    assert ids and "ncremental" not in ids[1], scan.stdout


def test_a_flood_of_syns_from_everywhere_keeps_nobody_out(serving):
    """The queue of half-open connections is full, and who is no flood opens
    all of theirs: with cookies."""
    before = counter(serving, "tcp_cookie_sent")
    flood = subprocess.Popen(
        [*serving.prefix, "hping3", "-q", "-S", "-p", "80", "--rand-source",
         "-i", f"u{1000000 // SYNS_PER_SECOND}", netns.GUEST_ADDRESS],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: counter(serving, "tcp_cookie_sent") > before)
        for _ in range(CLIENTS):
            client = serving.run("curl", "-sf", "--connect-timeout",
                                 str(CONNECT_S), URL, timeout_s=4 * CONNECT_S)
            assert client.returncode == 0, client.stdout
        wait_until(lambda: counter(serving, "tcp_cookie_taken") > 0)
    finally:
        flood.terminate()
        flood.wait()
