"""The guests that Runnel is measured beside: Debian's Linux cloud kernel with
nginx, and with a small epoll server of our own.

Debian's packages are downloaded and unpacked under build/bench/peers; nothing
of them is installed on the host. Each guest is a kernel and an initramfs:
busybox, the modules of virtio-net, one server.
"""
import gzip
import pathlib
import re
import shutil
import stat
import subprocess

import counted
import guest as guests
import netns

HERE = pathlib.Path(__file__).parent
WORK = counted.OUT / "peers"
ROOT = WORK / "root"  # the packages, unpacked

# In the order in which they need each other.
MODULES = ("drivers/virtio/virtio_ring.ko", "drivers/virtio/virtio.ko",
           "drivers/virtio/virtio_pci_legacy_dev.ko",
           "drivers/virtio/virtio_pci_modern_dev.ko",
           "drivers/virtio/virtio_pci.ko", "net/core/failover.ko",
           "drivers/net/net_failover.ko", "drivers/net/virtio_net.ko")

NGINX_CONF = """
daemon off; master_process off; error_log /dev/null; pid /run/nginx.pid;
worker_rlimit_nofile 200000;
events { worker_connections 110000; multi_accept on; }
http {
    access_log off; server_tokens off; tcp_nopush on; tcp_nodelay on;
    keepalive_timeout 3600s; keepalive_requests 1000000000;
    server {
        listen 80 backlog=4096;
        location = /healthz {
            default_type "text/plain; charset=utf-8";
            return 200 "ok\\n";
        }
    }
}
"""

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
ip=/bin/busybox
$ip ip link set lo up
$ip ip address add {address}/24 dev eth0
$ip ip link set eth0 up
echo 0 >/proc/sys/net/ipv4/tcp_syncookies
echo 4096 >/proc/sys/net/core/somaxconn
echo 4096 >/proc/sys/net/ipv4/tcp_max_syn_backlog
ulimit -n 200000
{server}
"""

SERVERS = {
    "linux-epoll": "exec /server",
    # nginx says nothing when it is ready; its first answer does.
    "linux-nginx": """/server 81 &
/usr/sbin/nginx -c /nginx.conf &
until /bin/busybox wget -q -O /dev/null http://127.0.0.1/healthz 2>/dev/null
do /bin/busybox usleep 2000; done
echo runnel: ready
wait""",
}


def packages():
    """What is unpacked, not installed. The kernel's name is in a package that
    does nothing but depend on the newest one."""
    newest = subprocess.run(
        ["apt-cache", "depends", "linux-image-cloud-amd64"], text=True,
        capture_output=True, check=True).stdout
    kernel = re.search(r"Depends: (linux-image-\S+)", newest)[1]
    return [kernel, "busybox-static", "nginx"]


def unpack():
    """Download and unpack, once; returns the kernel's release."""
    done = WORK / "unpacked"
    wanted = " ".join(packages())
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(WORK, ignore_errors=True)
        ROOT.mkdir(parents=True)
        WORK.chmod(0o755)
        subprocess.run(["apt-get", "download", "-qq", *wanted.split()],
                       cwd=WORK, check=True, stderr=subprocess.DEVNULL)
        for package in WORK.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, ROOT], check=True)
            package.unlink()
        done.write_text(wanted)
    return next((ROOT / "boot").glob("vmlinuz-*")).name.split("-", 1)[1]


# ---- an initramfs -----------------------------------------------------------

class Initramfs:
    """A cpio archive ("newc"). Source: Documentation/driver-api/
    early-userspace/buffer-format.rst of Linux."""

    def __init__(self):
        self.parts, self.inode = [], 0
        self.made = set()

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        path = name.encode() + b"\0"
        words = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                 len(path), 0)
        head = b"070701" + b"".join(b"%08X" % word for word in words) + path
        for part in (head, data):
            self.parts.append(part + b"\0" * (-len(part) % 4))

    def folder(self, name):
        parent = str(pathlib.PurePath(name).parent)
        if parent not in (".", "/"):
            self.folder(parent)
        if name not in self.made:
            self.made.add(name)
            self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o755):
        if "/" in name:
            self.folder(str(pathlib.PurePath(name).parent))
        if name not in self.made:
            self.made.add(name)
            self._entry(name, stat.S_IFREG | mode, data)

    def device(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def bytes(self):
        self._entry("TRAILER!!!", 0)
        return gzip.compress(b"".join(self.parts), 9, mtime=0)


def add_nginx(archive):
    """nginx, and the libraries that ldd says it needs, from this host."""
    binary = ROOT / "usr/sbin/nginx"
    archive.file("usr/sbin/nginx", binary.read_bytes())
    said = subprocess.run(["ldd", binary], capture_output=True, text=True,
                          check=True).stdout
    assert "not found" not in said, said
    for path in re.findall(r"(/\S+) \(0x", said):
        archive.file(path.lstrip("/"), pathlib.Path(path).read_bytes())
    archive.file("nginx.conf", NGINX_CONF.encode())
    archive.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n"
                 b"nobody:x:65534:65534::/:/bin/sh\n")
    archive.file("etc/group", b"root:x:0:\nnogroup:x:65534:\nnobody:x:99:\n")
    for name in ("run", "var/lib/nginx", "var/log/nginx", "tmp"):
        archive.folder(name)


def initramfs(name, release):
    """Write the initramfs of one peer; returns its path."""
    archive = Initramfs()
    for folder in ("proc", "dev"):
        archive.folder(folder)
    archive.device("dev/console", 5, 1)
    archive.file("bin/busybox", (ROOT / "bin/busybox").read_bytes())
    modules = ROOT / f"lib/modules/{release}/kernel"
    for module in MODULES:
        archive.file("modules/" + pathlib.Path(module).name,
                     (modules / module).read_bytes())
    server = counted.compiled("epoll_server", [
        "gcc", "-O2", "-Wall", "-Wextra", "-static", "-s",
        str(HERE / "epoll_server.c")])
    archive.file("server", server.read_bytes())
    if name == "linux-nginx":
        add_nginx(archive)
    archive.file("init", INIT.format(
        modules=" ".join(pathlib.Path(module).name for module in MODULES),
        address=netns.GUEST_ADDRESS, server=SERVERS[name]).encode())
    out = WORK / f"{name}.cpio.gz"
    out.write_bytes(archive.bytes())
    return out


# ---- guests -----------------------------------------------------------------

class Linux:
    """A peer: knows its files, and starts guests."""

    memory_mb = 256

    def __init__(self, name, release):
        self.name = name
        self.kernel = ROOT / f"boot/vmlinuz-{release}"
        self.initrd = initramfs(name, release)
        self.image_bytes = (self.kernel.stat().st_size +
                            self.initrd.stat().st_size)
        self.functions = self.stream_functions = counted.LINUX_FUNCTIONS
        self.bulk = name == "linux-epoll"

    def start(self, net, memory=None, extra=(), load="http"):
        del load  # one server does everything
        line = "console=ttyS0 quiet nokaslr panic=-1"
        return guests.Guest(
            str(self.kernel), net=net, memory=memory or self.memory_mb,
            rng=True, extra=extra,
            boot=["-kernel", str(self.kernel), "-initrd", str(self.initrd),
                  "-append", line])


class Runnel:
    """We ourselves, with the same questions."""

    name = "runnel"
    memory_mb = 64
    bulk = True

    def __init__(self):
        stripped = guests.BUILD / "http_hello.elf.stripped"
        self.image_bytes = stripped.stat().st_size
        self.functions = counted.functions_of(guests.BUILD / "http_hello.elf")
        self.stream_functions = counted.functions_of(
            guests.BUILD / "stream.elf")

    def start(self, net, memory=None, extra=(), load="http"):
        # Whoever is parked stays: the peers' servers wait for ever, too.
        app, args = ("http_hello", "--idle=3600") if load == "http" else \
            ("stream", "")
        return guests.Guest(app, args, net=net,
                            memory=memory or self.memory_mb, extra=extra)


def all_of():
    release = unpack()
    return [Runnel(), *(Linux(name, release) for name in SERVERS)]
