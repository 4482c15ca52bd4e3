#!/usr/bin/python3
"""make profile: where the guest's instructions go, by function.

    profile.py [LOAD...]       without one: all of them

Writes build/bench/profile-LOAD.txt, and the same to the console. Needs root,
for a namespace with a TAP device.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/qemu"))

import counted  # noqa: E402
import guest as guests  # noqa: E402
import loads  # noqa: E402
import netns  # noqa: E402

MIB = 1 << 20


def by_wrk(*more):
    """For 64 connections."""
    return lambda namespace, seconds: loads.wrk(namespace, 64, seconds, more)[1]


# name: (image, unit, load(namespace, size) -> how many, size of the warm-up,
#        size of the load)
LOADS = {
    "keep-alive-1": ("http_hello", "request", loads.one_by_one, 100, 3000),
    "keep-alive-64": ("http_hello", "request", by_wrk(), 1, 3),
    "other-fields-64": ("http_hello", "request", by_wrk(*loads.OTHER_FIELDS),
                        1, 3),
    "browser-64": ("http_hello", "request", by_wrk(*loads.BROWSER), 1, 3),
    "other-browser-64": ("http_hello", "request",
                         by_wrk(*loads.BROWSER, *loads.OTHER_FIELDS), 1, 3),
    "close-64": ("http_hello", "request", by_wrk(*loads.CLOSE), 1, 3),
    "bulk-out": ("stream", "KiB", loads.bulk_out, MIB, 128 * MIB),
    "bulk-in": ("stream", "KiB", loads.bulk_in, MIB, 128 * MIB),
    "udp-echo": ("stream", "datagram", loads.udp_echo, 100, 20000),
}


# Some of them with a card that has no offload at all.
PLAIN = "virtio-net-pci,disable-legacy=on" + "".join(
    f",{name}=off" for name in (
        "csum", "guest_csum", "gso", "host_tso4", "host_tso6", "host_ecn",
        "host_ufo", "guest_tso4", "guest_tso6", "guest_ecn", "guest_ufo"))
LOADS.update({f"{name}-plain": LOADS[name]
              for name in ("keep-alive-64", "bulk-out", "bulk-in")})


def net_of(name, namespace):
    if name.endswith("-plain"):
        return guests.TapNet(namespace, netns.TAP, device=PLAIN)
    return guests.TapNet(namespace, netns.TAP)


def profile(name, namespace):
    image, unit, load, warm, size = LOADS[name]
    one = counted.Counted(
        lambda extra: guests.Guest(
            image, net=net_of(name, namespace), extra=extra),
        counted.functions_of(guests.BUILD / f"{image}.elf"))
    try:
        one.guest.ready()
        load(namespace, warm)
        reading = one.measure(lambda: load(namespace, size))
    finally:
        one.end()
    yield (f"{name}: {reading.instructions:,.0f} instructions, "
           f"{reading.kicks:.3f} kicks, {reading.interrupts:.3f} interrupts "
           f"per {unit}")
    yield from counted.profile_lines(reading)


def main(names):
    unknown = [name for name in names if name not in LOADS]
    if unknown:
        sys.exit(f"profile: no load {unknown[0]!r}: there are {', '.join(LOADS)}")
    namespace = netns.Namespace()
    try:
        for name in names or LOADS:
            text = "\n".join(profile(name, namespace)) + "\n"
            print(text, flush=True)
            (counted.OUT / f"profile-{name}.txt").write_text(text)
    finally:
        namespace.remove()


if __name__ == "__main__":
    main(sys.argv[1:])
