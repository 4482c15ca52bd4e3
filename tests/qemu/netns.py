"""A network namespace of the test's own, with a TAP device for the guest.

Needs root. Nothing outside the namespace is changed, and with the namespace
everything in it is gone.
"""
import ctypes
import itertools
import os
import socket
import subprocess
import threading

CLONE_NEWNET = 0x40000000

HOST_ADDRESS = "10.8.0.1"
GUEST_ADDRESS = "10.8.0.2"
TAP = "tap0"

_serial = itertools.count()


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


class Namespace:
    """Made with its loopback up and TAP as HOST_ADDRESS/24."""

    def __init__(self):
        self.name = f"runnel-{os.getpid()}-{next(_serial)}"
        self.prefix = ["ip", "netns", "exec", self.name]
        run("ip", "netns", "add", self.name)
        try:
            self.ip("link", "set", "lo", "up")
            self.ip("tuntap", "add", "dev", TAP, "mode", "tap")
            self.ip("address", "add", f"{HOST_ADDRESS}/24", "dev", TAP)
            self.ip("link", "set", TAP, "up")
            # 10,000 connections to one port, each from its own.
            self.set("net.ipv4.ip_local_port_range", "10000 65000")
        except BaseException:
            self.remove()
            raise

    def ip(self, *words):
        run("ip", "-n", self.name, *words)

    def set(self, key, value):
        run(*self.prefix, "sysctl", "-q", "-w", f"{key}={value}")

    def remove(self):
        run("ip", "netns", "delete", self.name)

    def run(self, *words, timeout_s):
        """A program in the namespace, to its end; returns its output."""
        return subprocess.run(
            [*self.prefix, *words], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            timeout=timeout_s)

    def call(self, function):
        """Run `function` on a thread inside the namespace: the sockets that
        it makes belong there for ever, whoever uses them."""
        result = []

        def inside():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{self.name}", "rb") as handle:
                if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    result.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                result.append(function())
            except Exception as error:  # pylint: disable=broad-except
                result.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if isinstance(result[0], Exception):
            raise result[0]
        return result[0]

    def connect(self, port, timeout_s):
        """A TCP connection from the namespace to the guest."""
        return self.call(lambda: socket.create_connection(
            (GUEST_ADDRESS, port), timeout_s))
