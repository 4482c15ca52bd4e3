"""Every header compiles alone, with both compilers.

Whoever includes it needs to know nothing else.
"""
import concurrent.futures
import os
import subprocess

import source

WARN = ("-Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow "
        "-Wstrict-prototypes -Wmissing-prototypes -Werror").split()
SYSTEM = ("-idirafter", "/usr/share/include")  # llhttp, as Debian has it
COMPILERS = ("gcc", "clang")


def compile_alone(root, here, compiler):
    run = subprocess.run(
        [compiler, "-std=gnu11", "-I.", "-idirafter", "/usr/share/include",
         *WARN, "-fsyntax-only", "-x", "c",
         "-include", here, "/dev/null"],
        cwd=root, text=True, capture_output=True, check=False)
    if run.returncode:
        first = next((line for line in run.stderr.splitlines()
                      if "error" in line), run.stderr.strip())
        yield f"{here}:1: does not compile alone with {compiler}: {first}"


def problems(root):
    jobs = [(root, source.name(root, path), compiler)
            for path in source.files(root, source.PRODUCT + source.TESTS, ".h")
            for compiler in COMPILERS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda job: list(compile_alone(*job)), jobs):
            yield from found
