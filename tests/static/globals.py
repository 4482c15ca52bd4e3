"""State has a place: read off the compiled objects.

net/ and drivers/ have no variable of static storage at all, so that a process
may run a thousand stacks. A file of kernel/ has at most one, a struct that is
named as the file.
"""
import os
import re
import subprocess
import sys
import tempfile

import source

# objdump -t: value, seven flag characters, section, size, name.
SYMBOL = re.compile(r"[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$")
MUTABLE = re.compile(r"\.t?(data|bss)\b|\*COM\*")


def variables(path):
    """Names of the mutable variables that an object holds."""
    table = subprocess.run(["objdump", "-t", path], text=True,
                           capture_output=True, check=True).stdout
    for line in table.splitlines():
        found = SYMBOL.match(line)
        if not found or found[2].startswith(".data.rel.ro"):
            continue  # constant once it is linked
        is_section = "d" in found[1]
        if not is_section and MUTABLE.match(found[2]):
            yield found[3]


def judge(here, names):
    """The problems of one file whose object holds these variables."""
    folder, stem = here.split("/")[0], os.path.basename(here)[:-2]
    if folder in ("net", "drivers"):
        for name in names:
            yield f"{here}:1: mutable variable `{name}`: none in {folder}/"
    elif len(names) > 1:
        yield (f"{here}:1: {len(names)} variables ({', '.join(names)}): "
               f"at most one, `static struct ... {stem}`")
    elif names and names[0] != stem:
        yield f"{here}:1: its variable is named `{stem}`, not `{names[0]}`"


def compile_object(root, here, out):
    """Like the host's objects, and never an old one."""
    run = subprocess.run(
        ["gcc", "-std=gnu11", "-O1", "-I.", "-w", "-mgeneral-regs-only", "-c",
         here, "-o", out], cwd=root, text=True, capture_output=True,
        check=False)
    return run.stderr.strip().splitlines() if run.returncode else []


def problems(root):
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "object.o")
        for path in source.files(root, ("net", "drivers", "kernel"), ".c"):
            here = source.name(root, path)
            errors = compile_object(root, here, out)
            if errors:
                yield f"{here}:1: does not compile: {errors[0]}"
            else:
                yield from judge(here, list(variables(out)))


if __name__ == "__main__":
    print("\n".join(variables(sys.argv[1])))
