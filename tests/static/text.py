"""What can be seen in the text of a file alone.

Opening comment with the file's own path, include guards named after it, no
conditional compilation, bounds on lines, functions and files, and no note to
oneself left behind.
"""
import re

import source

COLUMNS_MAX = 80
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500

CONDITIONAL = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif)\b")
# In two halves, so that this file may be checked too.
NOTES = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")


def guard(here):
    return re.sub(r"[^A-Z0-9]", "_", here.upper())


def opening(here, lines):
    """A comment; in the product, its line 2 is ` * path - purpose`."""
    is_test = here.startswith(source.TESTS)
    if len(lines) < 2 or lines[0] != "/*" or not (
            is_test or lines[1].startswith(f" * {here} - ")):
        yield f"{here}:1: opens with a comment `{here} - what it is for`"


def conditionals(here, lines):
    found = [number for number, line in enumerate(lines, 1)
             if CONDITIONAL.match(line)]
    if here.endswith(".h"):
        wanted = f"#ifndef {guard(here)}"
        if not found or lines[found[0] - 1] != wanted:
            yield f"{here}:1: its include guard is `{wanted}`"
        return  # a header is where two compilers may be told apart
    for number in found:
        yield f"{here}:{number}: no conditional compilation: two files"


def lengths(here, lines):
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield f"{here}:{number}: {len(line)} columns, over {COLUMNS_MAX}"
    if here.startswith(source.PRODUCT) and len(lines) > FILE_LINES_MAX:
        yield f"{here}:1: {len(lines)} lines, over {FILE_LINES_MAX}"


def functions(lines):
    """Each function's first line and length: in this format its braces, and
    only a function's, stand alone in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start - 1
            start = None


def function_lengths(here, lines):
    for start, length in functions(lines):
        if length > FUNCTION_LINES_MAX:
            yield (f"{here}:{start}: a function of {length} lines, "
                   f"over {FUNCTION_LINES_MAX}")


def notes(here, lines):
    for number, line in enumerate(lines, 1):
        found = NOTES.search(line)
        if found:
            yield f"{here}:{number}: says {found[0]}: do it, or open an issue"


def problems(root):
    for path in source.files(root, source.PRODUCT + source.TESTS, ".c", ".h"):
        here, lines = source.name(root, path), path.read_text().splitlines()
        for rule in (opening, conditionals, lengths, function_lengths, notes):
            yield from rule(here, lines)
    for path in source.files(root, source.PRODUCT + ("tests", "scripts"),
                             ".S", ".py", ".sh"):
        lines = path.read_text().splitlines()
        yield from notes(source.name(root, path), lines)
