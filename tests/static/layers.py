"""Who may include whom: the layers of the house.

            boot/                 may include everything but apps/
          /      \\
       apps/     drivers/         apps: public headers only
          \\      /
           net/    libc-shim/     only flow and stack files know threads
             \\    /
            kernel/               includes only kernel/
"""
import fnmatch
import re

import source

PUBLIC = ("net/flow.h", "net/addr.h", "net/buffer.h", "net/net.h",
          "net/acd.h", "net/arp.h", "net/counters.h", "net/interface.h",
          "net/ping.h", "net/route.h", "net/stack.h", "net/stack_ping.h",
          "net/tcp.h", "net/udp_flow.h", "net/dns.h", "net/view.h", "libc-shim/runnel.h",
          "kernel/base.h", "kernel/clock.h", "kernel/thread.h",
          "kernel/random.h", "kernel/page.h", "kernel/cmdline.h",
          "kernel/log.h", "kernel/format.h")

# Folder: what its files may include. A name that ends in a slash stands for
# all that is in that folder.
MAY_INCLUDE = {
    "kernel": ("kernel/",),
    "net": ("net/", "kernel/base.h", "kernel/log.h"),
    "drivers": ("drivers/", "kernel/", "net/netdev.h", "net/buffer.h"),
    "libc-shim": ("libc-shim/", "kernel/", "net/flow.h", "net/stack.h",
                  "net/net.h", "net/interface.h", "net/addr.h",
                  "net/buffer.h"),
    "apps": PUBLIC,
    "boot": ("boot/", "kernel/", "drivers/", "net/", "libc-shim/"),
}

# Files that may reach further than their folder: the blocking layer.
THREADS = ("kernel/thread.h", "kernel/clock.h", "kernel/random.h")
EXTRA = {
    "net/flow.c": THREADS,
    "net/flow_*": THREADS,
    "net/udp_flow*": THREADS,
    "net/dns_flow*": THREADS,
    "net/view.c": ("kernel/format.h",),
    "net/stack.[ch]": THREADS,
    "net/stack_*": THREADS,
}

# The stack takes and gives bytes and time, and asks the system for nothing.
NET_SYSTEM = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "inttypes.h",
              "limits.h", "string.h"}

INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')


def allowed(path_name):
    """The names, and folders with a slash, that this file may include."""
    parts = path_name.split("/")
    names = MAY_INCLUDE[parts[0]]
    if parts[0] == "apps":  # an application sees its own folder, no other
        names += (f"apps/{parts[1]}/", f"{parts[1]}/")
    for pattern, more in EXTRA.items():
        if fnmatch.fnmatch(path_name, pattern):
            names += more
    return names


def permits(names, header):
    return any(header.startswith(one) if one.endswith("/") else header == one
               for one in names)


def problems(root):
    for path in source.files(root, MAY_INCLUDE, ".c", ".h", ".S"):
        here = source.name(root, path)
        names = allowed(here)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            ours, header = found[1] == '"', found[2]
            if ours and not permits(names, header):
                yield f"{here}:{number}: may not include {header}"
            if not ours and here.startswith("net/") and \
                    header not in NET_SYSTEM:
                yield f"{here}:{number}: net/ may not include <{header}>"
