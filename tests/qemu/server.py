"""A server of Debian's in the test's namespace: started, listened to, ended.

Only what the test has started is ended, and nothing is left behind.
"""
import re
import subprocess
import tempfile
import threading
import time

from guest import PATIENCE_S


class Server:
    """One process in the foreground, whose log the test waits on."""

    def __init__(self, namespace, *command):
        self.lines = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *namespace.prefix, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self.lines.append(line.rstrip())
                self._changed.notify_all()

    def wait_for(self, pattern, times=1):
        """Wait until so many lines of the log match."""
        limit = time.monotonic() + PATIENCE_S
        with self._changed:
            while sum(bool(re.search(pattern, line))
                      for line in self.lines) < times:
                left = limit - time.monotonic()
                assert left > 0 and self._process.poll() is None, \
                    f"no `{pattern}` in:\n" + "\n".join(self.lines)
                self._changed.wait(min(left, 1))

    def end(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()


class Dnsmasq(Server):
    """A DHCP server on the TAP device; `options` as dnsmasq(8) has them."""

    def __init__(self, namespace, first, last, *options, lease_s=120):
        self._scratch = tempfile.TemporaryDirectory(prefix="runnel-dhcp-")
        super().__init__(
            namespace, "dnsmasq", "--keep-in-foreground", "--no-daemon",
            "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0",
            "--interface=tap0", "--except-interface=lo", "--bind-interfaces",
            "--no-ping", "--dhcp-authoritative", "--log-dhcp",
            "--log-facility=-", "--user=root", "--group=root",
            f"--pid-file={self._scratch.name}/pid",
            f"--dhcp-leasefile={self._scratch.name}/leases",
            f"--dhcp-range={first},{last},255.255.255.0,{lease_s}", *options)
        self.wait_for("DHCP, IP range")

    def end(self):
        super().end()
        self._scratch.cleanup()


UNBOUND = """
server:
    interface: {address}
    access-control: 0.0.0.0/0 allow
    do-daemonize: no
    do-ip6: no
    do-tcp: {tcp}
    chroot: ""
    username: ""
    directory: "{scratch}"
    pidfile: "{scratch}/pid"
    use-syslog: no
    logfile: ""
    log-queries: yes
    verbosity: 1
    module-config: "iterator"
    local-zone: "test." nodefault
    do-not-query-localhost: no
auth-zone:
    name: "test"
    zonefile: "{scratch}/zone"
    for-downstream: yes
    for-upstream: no
remote-control:
    control-enable: no
"""


class Unbound(Server):
    """A name server with one zone, "test", and nothing above it."""

    def __init__(self, namespace, address, zone, tcp=True):
        self._scratch = tempfile.TemporaryDirectory(prefix="runnel-dns-")
        scratch = self._scratch.name
        with open(f"{scratch}/zone", "w", encoding="ascii") as out:
            out.write("$ORIGIN test.\n$TTL 60\n"
                      "@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\n"
                      f"ns A {address}\n{zone}")
        with open(f"{scratch}/conf", "w", encoding="ascii") as out:
            out.write(UNBOUND.format(address=address, scratch=scratch,
                                     tcp="yes" if tcp else "no"))
        super().__init__(namespace, "unbound", "-d", "-p", "-c",
                         f"{scratch}/conf")
        self.wait_for("start of service")

    def end(self):
        super().end()
        self._scratch.cleanup()
