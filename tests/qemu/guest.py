"""A guest: one QEMU process with a Runnel image, and what a test asks of it.

No test waits for a time to pass: it waits for something to happen, and the
time limits are far beyond what a loaded machine needs. A slow machine makes
these tests slower, not red.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_NAME = os.environ.get("BUILD", "build")
BUILD = ROOT / BUILD_NAME

PATIENCE_S = 120  # for anything that takes a second on an idle machine

# What QEMU's user network gives to a guest that asks for nothing.
USER_ARGS = "--ipv4=10.0.2.15/24 --ipv4-gateway=10.0.2.2"


def build(app):
    """Build an application of the tests, as one from outside the tree is.
    BUILD is as make has it: what make knows of headers has names under it.
    Return: the image."""
    quiet = {name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-s", f"BUILD={BUILD_NAME}",
                    f"APP=tests/qemu/apps/{app}", f"{BUILD_NAME}/{app}.elf"],
                   cwd=ROOT, env=quiet, check=True)
    return BUILD / f"{app}.elf"


class GuestError(Exception):
    """The guest did not do what was waited for."""


class NoNet:
    """A machine without a network card."""

    args = ""
    prefix = ()

    def options(self, _scratch):
        return []

    def started(self, guest):
        pass


class UserNet(NoNet):
    """QEMU's own network: the host is 10.0.2.2, the guest 10.0.2.15.

    Each port in `ports` is reachable as guest.port(number) on 127.0.0.1; QEMU
    binds a free one, so that two runs never meet.
    """

    args = USER_ARGS

    def __init__(self, *ports, device="virtio-net-pci,disable-legacy=on",
                 restrict=False):
        self.ports, self.device, self.restrict = ports, device, restrict

    def options(self, _scratch):
        forward = "".join(f",hostfwd=tcp:127.0.0.1:0-:{port}"
                          for port in self.ports)
        limit = ",restrict=on" if self.restrict else ""
        return ["-netdev", f"user,id=net0{forward}{limit}",
                "-device", f"{self.device},netdev=net0"]

    def started(self, guest):
        if not self.ports:
            return
        table = guest.monitor("info usernet")
        for line in table.splitlines():
            word = line.split()
            if word and word[0] == "TCP[HOST_FORWARD]":
                guest.forwarded[int(word[5])] = int(word[3])


class WireNet(NoNet):
    """One Ethernet frame a datagram, between QEMU and the test: no root.

    Unix sockets rather than UDP: nothing is lost unless the test loses it,
    and no port can be taken.
    """

    args = "--ipv4=10.9.0.2/24 --ipv4-gateway=10.9.0.1"
    MAC = "52:54:00:09:00:02"

    def __init__(self, device="virtio-net-pci,disable-legacy=on"):
        self.device = device
        self.socket = None

    def options(self, scratch):
        here, there = scratch / "host", scratch / "guest"
        self.there = str(there)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.socket.bind(str(here))
        return ["-netdev", "dgram,id=net0,local.type=unix,"
                f"local.path={there},remote.type=unix,remote.path={here}",
                "-device", f"{self.device},netdev=net0,mac={self.MAC}"]

    def send(self, frame):
        self.socket.settimeout(PATIENCE_S)
        self.socket.sendto(frame, self.there)

    def receive(self, timeout_s):
        """The next frame, or None when none comes."""
        self.socket.settimeout(max(timeout_s, 0.001))
        try:
            return self.socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return None


class TapNet(NoNet):
    """A TAP device in a namespace of the test's: Linux is the peer."""

    args = "--ipv4=10.8.0.2/24 --ipv4-gateway=10.8.0.1"
    MAC = "52:54:00:08:00:02"

    def __init__(self, namespace, tap,
                 device="virtio-net-pci,disable-legacy=on"):
        self.namespace, self.tap, self.device = namespace, tap, device
        self.prefix = tuple(namespace.prefix)

    def options(self, _scratch):
        return ["-netdev", f"tap,id=net0,ifname={self.tap},script=no,"
                "downscript=no",
                "-device", f"{self.device},netdev=net0,mac={self.MAC}"]


class Guest:
    """One run of one image. Use the `start` fixture: it ends every guest.

    app:     build/<app>.elf; or the path of an image.
    args:    for the guest's command line, after the network's own.
    net:     one of the networks above; None: user network without a port.
    boot:    QEMU's options that boot it; None: -kernel with the image.
    """

    def __init__(self, app, args="", *, net=None, memory=64, machine="pc",
                 cpu=None, rng=True, debug_exit=True, boot=None, extra=(),
                 net_args=True):
        self.net = UserNet() if net is None else net
        self.forwarded = {}
        self.lines = []
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="runnel-"))
        self.image = app if "/" in str(app) else BUILD / f"{app}.elf"
        line = f"{self.net.args if net_args else ''} {args}".strip()
        if boot is None:
            boot = ["-kernel", str(self.image), "-append", line]
        self.command = [
            "setpriv", "--pdeathsig", "KILL", *self.net.prefix,
            "qemu-system-x86_64", "-nodefaults", "-no-user-config",
            "-accel", "tcg", "-display", "none", "-no-reboot",
            "-machine", machine, "-m", str(memory),
            "-chardev", "stdio,id=console,signal=off",
            "-serial", "chardev:console",
            "-chardev", f"socket,id=monitor,path={self.scratch}/monitor,"
            "server=on,wait=off", "-mon", "chardev=monitor,mode=control",
            *(["-cpu", cpu] if cpu else []),
            *(["-device", "virtio-rng-pci"] if rng else []),
            *(["-device", "isa-debug-exit"] if debug_exit else []),
            *self.net.options(self.scratch), *boot, *extra]
        self._changed = threading.Condition()
        self._ended = False
        self._monitor = None
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.net.started(self)
        except BaseException:
            self.kill()
            raise

    # ---- the console ----

    def _read(self):
        for line in self.process.stdout:
            text = line.decode("latin-1").rstrip("\r\n")
            with self._changed:
                self.lines.append(text)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def console(self):
        with self._changed:
            return "\n".join(self.lines)

    def wait_for(self, pattern, timeout_s=PATIENCE_S):
        """Wait for a console line that matches; returns the match."""
        seen, limit = 0, time.monotonic() + timeout_s
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = len(self.lines)
                left = limit - time.monotonic()
                if self._ended or left <= 0:
                    why = "ended" if self._ended else f"{timeout_s} s passed"
                    raise GuestError(f"no line `{pattern}` before {why}")
                self._changed.wait(left)

    def ready(self):
        self.wait_for(r"runnel: ready$")
        return self

    # ---- the machine ----

    def _qmp_open(self):
        path = str(self.scratch / "monitor")
        limit = time.monotonic() + PATIENCE_S
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(PATIENCE_S)
        while True:
            try:
                link.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if self.process.poll() is not None:
                    raise GuestError(f"QEMU ended:\n{self.console}") from None
                if time.monotonic() > limit:
                    raise
                time.sleep(0.01)
        self._monitor = link.makefile("rw", encoding="utf-8")
        link.close()  # the file keeps it open
        json.loads(self._monitor.readline())
        self.qmp("qmp_capabilities")

    def qmp(self, command, **arguments):
        """One command of QEMU's machine protocol; returns its answer."""
        if self._monitor is None:
            self._monitor = False
            self._qmp_open()
        self._monitor.write(json.dumps(
            {"execute": command, "arguments": arguments}) + "\n")
        self._monitor.flush()
        while True:
            answer = json.loads(self._monitor.readline())
            if "error" in answer:
                raise GuestError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def monitor(self, line):
        """One line of QEMU's human monitor; returns its text."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def port(self, number):
        """Where the guest's port is on 127.0.0.1 (UserNet)."""
        return self.forwarded[number]

    def cpu_seconds(self):
        """What the QEMU process has used so far."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        ticks = stat.rsplit(")", 1)[1].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def power_button(self):
        self.qmp("system_powerdown")

    def wait_exit(self, timeout_s=PATIENCE_S):
        """The guest's exit status, as DESIGN.md maps it through QEMU's."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise GuestError("the guest does not end") from None
        self._reader.join()
        if code == 0:
            return 0
        if code >= 3 and code % 2 == 1:
            return code // 2
        raise GuestError(f"QEMU itself ended with {code}:\n{self.console}")

    def running(self):
        return self.process.poll() is None

    def kill(self):
        """End QEMU, whatever it does, and leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        if self._monitor:
            self._monitor.close()
        if isinstance(self.net, WireNet) and self.net.socket:
            self.net.socket.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def report(self):
        return f"$ {' '.join(self.command)}\n{self.console}"
