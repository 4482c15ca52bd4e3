"""Who logs is known: boot/config.c names every module, and no other.

A user who misspells one in --logs is told the names of that list.
"""
import re

import source

LIST = "boot/config.c"
KNOWN = re.compile(r'\bmodules\[\] =\s+"([^"]*)"')
USED = re.compile(r'\blog_at\([^",]*,\s*"([^"]*)"')


def problems(root):
    used = {}
    for path in source.files(root, source.PRODUCT, ".c"):
        for name in USED.findall(path.read_text()):
            used.setdefault(name, source.name(root, path))
    found = KNOWN.search((root / LIST).read_text())
    known = found[1].split() if found else []
    for name in sorted(set(used) - set(known)):
        yield f"{used[name]}:1: logs as `{name}`, which {LIST} does not name"
    for name in sorted(set(known) - set(used)):
        yield f"{LIST}:1: names the module `{name}`, and nobody logs as that"
