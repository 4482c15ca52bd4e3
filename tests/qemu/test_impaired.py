"""Streams to Linux over a wire that loses, reorders and doubles frames.

The frames that suffer follow from a seed and from the order of traffic; the
bytes that arrive must not depend on either.
"""
import pathlib
import subprocess
import sys

import pytest

import guest as guests
import netns
import stream

MIB = 1 << 20
HERE = pathlib.Path(__file__).parent


class BadWire(guests.TapNet):
    """TapNet's addresses, with impair.py between QEMU and the TAP device."""

    def __init__(self, namespace, seed, loss, reorder, duplicate):
        super().__init__(namespace, netns.TAP)
        self.chances = [seed, *map(str, (loss, reorder, duplicate))]
        self.proxy = None
        self.prefix = ()

    def options(self, scratch):
        here, there = scratch / "host", scratch / "guest"
        self.proxy = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.namespace.prefix,
             sys.executable, "-B", str(HERE / "impair.py"), self.tap,
             str(here), str(there), *self.chances],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.proxy.stdout.readline() == b"impair: ready\n"
        return ["-netdev", "dgram,id=net0,local.type=unix,"
                f"local.path={there},remote.type=unix,remote.path={here}",
                "-device", f"{self.device},netdev=net0,mac={self.MAC}"]

    def end(self):
        self.proxy.stdin.close()
        self.proxy.wait()
        self.proxy.stdout.close()


@pytest.fixture
def bad_wire(namespace):
    made = []

    def make(*chances):
        made.append(BadWire(namespace, *chances))
        return made[-1]

    yield make
    for one in made:
        if one.proxy:
            one.end()


CHANCES = {
    "perfect": ("seed1", 0, 0, 0),
    "loss": ("seed2", 0.03, 0, 0),
    "reordering": ("seed3", 0, 0.05, 0),
    "duplicates": ("seed4", 0, 0, 0.05),
    "all": ("seed5", 0.03, 0.02, 0.01),
}


@pytest.mark.parametrize("kind", CHANCES)
def test_2_mib_arrive_over_a_wire_with(start, namespace, bad_wire, kind):
    start("echo", net=bad_wire(*CHANCES[kind])).ready()
    stream.echo(namespace.connect(7, guests.PATIENCE_S), 2 * MIB)


def test_8_mib_arrive_over_the_worst(start, namespace, bad_wire):
    start("echo", net=bad_wire(*CHANCES["all"])).ready()
    stream.echo(namespace.connect(7, guests.PATIENCE_S), 8 * MIB)


@pytest.mark.soak
@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_64_mib_arrive_over_the_worst(start, namespace, bad_wire, seed):
    start("echo", net=bad_wire(seed, *CHANCES["all"][1:])).ready()
    stream.echo(namespace.connect(7, guests.PATIENCE_S), 64 * MIB)
