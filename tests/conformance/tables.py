"""The tables of requirements: tests/conformance/rfc*.md.

A row is `| id | section | requirement | tests | result |`. An id is unique in
its table. Those of rfc9293.md are that RFC's own (`MUST-1`, `SHLD-2`); the
other RFCs number nothing, so their rows are `M1`, `M2` where the text says
MUST (or leaves no choice to who implements it), and `S1`, `S2` where it says
SHOULD and we do. Elsewhere a row is called by its RFC and id: `7323 M1`.
`tests` names one or more test functions, each in backticks. `result` is
`shown`, or says why not: `deviation: ...` and `not offered: ...` must cite a
reason.
"""
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

TEST = re.compile(r"`([A-Za-z0-9_]+)`")
RESULTS = ("shown", "deviation: ", "not offered: ")


def key_of(path, row_id):
    """What a row of the table rfcN.md is called elsewhere: `N id`."""
    number = re.match(r"rfc(\d+)", path.name)
    return f"{number.group(1)} {row_id}" if number else row_id


class Row:
    def __init__(self, path, number, cells):
        self.where = f"{path.relative_to(ROOT)}:{number}"
        self.id, self.section, self.text, tests, self.result = cells
        self.tests = TEST.findall(tests)
        self.key = key_of(path, self.id)

    def is_must(self):
        return re.fullmatch(r"MUST-\d+|M\d+", self.id) is not None

    def problem(self):
        """What is wrong with the row by itself, or None."""
        if not self.result.startswith(RESULTS):
            return f"result is none of {', '.join(RESULTS)}"
        if self.result == "shown" and not self.tests:
            return "is shown, it says, but names no test"
        return None


def rows(path):
    """The rows of one table, in order."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and \
                cells[0] not in ("ID", "") and set(cells[0]) != {"-"}:
            yield Row(path, number, cells)


def all_rows():
    for path in sorted(HERE.glob("rfc*.md")):
        yield from rows(path)
