"""Every row of the list of bad inputs has a host test that names it.

A test's name is GROUP__IDS_CLAIM or IDS__CLAIM: `arp__A2_A3_other_formats`
and `A2_A3__other_formats` show rows A2 and A3. The list is numbered without
gaps, so that its groups and their sizes are all that is needed here.
"""
import re

# Letter: how many rows there are. A group is added when its rows are shown.
GROUPS = {
    "E": 12,  # Ethernet
    "A": 20,  # ARP
    "I": 20,  # IPv4 headers
    "F": 23,  # fragments
    "C": 20,  # ICMP
    "T": 32,  # TCP headers and options
    "S": 44,  # TCP sequences and resources
    "U": 14,  # UDP
    "D": 26,  # DHCP
    "N": 27,  # DNS
    "V": 28,  # virtio and PCI
}
# Rows about what there is not: packed rings (see drivers/virtq.h).
NOT_HERE = {"V26"}

# A function, or one that a macro of tests/host/flow_world.h makes.
DEFINED = re.compile(
    r"^(?:static void\s+|WORLD(?:_OF)?\()(\w+__\w+)[(,)]", re.M)
ID = re.compile(r"[A-Z]\d+")


def ids(name):
    """The rows that a test's name begins with, in its first part or second."""
    for part in name.split("__")[:2]:
        for word in part.split("_"):
            if not ID.fullmatch(word):
                break
            yield word


def shown(root):
    """The rows that tests name which their programs also run."""
    rows = set()
    for path in sorted([*root.glob("tests/unit/test_*.c"),
                        *root.glob("tests/conformance/test_*.c")]):
        source = path.read_text()
        for name in DEFINED.findall(source):
            if len(re.findall(rf"\b{name}\b", source)) > 1:
                rows.update(ids(name))
    return rows


def problems(root):
    there = shown(root)
    for letter, count in GROUPS.items():
        for number in range(1, count + 1):
            row = f"{letter}{number}"
            if row not in there | NOT_HERE:
                yield f"tests: no test names row {row}"
