"""Network namespaces with a TUN device, for tests beside Linux's own stack."""
import fcntl
import itertools
import os
import struct
import subprocess
import threading

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454ca
IFF_TUN, IFF_NO_PI = 1, 0x1000

_serial = itertools.count()


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


class Namespace:
    """Made with its loopback and a device tun0 of MTU 1500, `address` with its
    prefix; gone with everything in it when it is left."""

    def __init__(self, address, settings=()):
        self.name = f"runnel-tun-{os.getpid()}-{next(_serial)}"
        self.address = address
        self.settings = dict(settings)

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        for words in (["link", "set", "lo", "up"],
                      ["tuntap", "add", "dev", "tun0", "mode", "tun"],
                      ["address", "add", self.address, "dev", "tun0"],
                      ["link", "set", "tun0", "up", "mtu", "1500"]):
            run("ip", "-n", self.name, *words)
        for key, value in self.settings.items():
            run("ip", "netns", "exec", self.name, "sysctl", "-q", "-w",
                f"{key}={value}")
        return self

    def __exit__(self, *error):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)

    def call(self, function):
        """What `function` returns, run in the namespace: a socket or a device
        that it opens stays there."""
        result = []

        def inside():
            with open(f"/run/netns/{self.name}", "rb") as there:
                os_setns(there.fileno())
            result.append(function())

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return result[0]

    def device(self):
        """tun0 as a file descriptor that carries one IP packet at a time."""
        def attach():
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack(
                "16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
            return fd
        return self.call(attach)


def os_setns(fd):
    """setns(2) for this thread; Python 3.11 has no call for it."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
