"""clang-format has nothing to change."""
import re
import subprocess

import source

LINE = re.compile(r"(.+?):(\d+):\d+: error: ")


def problems(root):
    paths = [source.name(root, path) for path in
             source.files(root, source.PRODUCT + source.TESTS, ".c", ".h")]
    if not paths:
        return
    run = subprocess.run(
        ["clang-format", "--dry-run", "-Werror", "--style=file", *paths],
        cwd=root, text=True, capture_output=True, check=False)
    seen = {}
    for line in run.stderr.splitlines():
        found = LINE.match(line)
        if found:
            seen.setdefault(found[1], found[2])
    for path, number in seen.items():
        yield f"{path}:{number}: run clang-format -i {path}"
    if run.returncode and not seen:
        yield f"clang-format: {run.stderr.strip()}"
