#!/usr/bin/python3
"""A bad wire: between QEMU's datagram socket and a TAP device.

    impair.py TAP OUR-SOCKET QEMU-SOCKET SEED LOSS REORDER DUPLICATE

Each frame, either way, is lost, doubled or held back behind up to eight later
ones, with these chances (0.03 is 3 %). The seed decides which. Ends when its
standard input does.
"""
import fcntl
import os
import random
import selectors
import socket
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 2, 0x1000
FRAME_BYTES_MAX = 1 << 16
BEHIND_MAX = 8
HELD_S = 0.005  # when nothing follows


class Direction:
    """One way of the wire; `write` sends a frame on."""

    def __init__(self, seed, chances, write):
        self.random = random.Random(seed)
        self.loss, self.reorder, self.duplicate = chances
        self.write = write
        self.held = []  # [frames it must let pass, frame]

    def frame(self, data):
        chance = self.random.random
        if chance() < self.loss:
            return
        if chance() < self.reorder:
            self.held.append([self.random.randint(1, BEHIND_MAX), data])
            return
        self.write(data)
        if chance() < self.duplicate:
            self.write(data)
        for one in self.held:
            one[0] -= 1
        self.release(lambda one: one[0] <= 0)

    def release(self, due=lambda one: True):
        for one in self.held:
            if due(one):
                self.write(one[1])
        self.held = [one for one in self.held if not due(one)]


def open_tap(name):
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, TUNSETIFF,
                struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return handle


def main(name, ours, theirs, seed, *chances):
    chances = tuple(map(float, chances))
    tap = open_tap(name)
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire.bind(ours)

    def to_guest(data):
        try:
            wire.sendto(data, theirs)
        except (FileNotFoundError, ConnectionRefusedError):
            pass  # QEMU is not there yet, or no more

    up = Direction(seed + "up", chances, to_guest)
    down = Direction(seed + "down", chances,
                     lambda data: os.write(tap, data))
    ready = selectors.DefaultSelector()
    for one in (tap, wire, sys.stdin):
        ready.register(one, selectors.EVENT_READ)
    print("impair: ready", flush=True)
    while True:
        found = ready.select(HELD_S if up.held or down.held else None)
        if not found:
            up.release()
            down.release()
        for key, _ in found:
            if key.fileobj is tap:
                up.frame(os.read(tap, FRAME_BYTES_MAX))
            elif key.fileobj is wire:
                down.frame(wire.recv(FRAME_BYTES_MAX))
            else:
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
