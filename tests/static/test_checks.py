"""Each check goes red on the fault that it is for, and only then.

A check that can no longer fail is worse than none: every rule gets a small
tree with one fault in it.
"""
import pathlib
import shutil

import pytest

import globals as state
import headers
import layers
import layout
import logs
import rows
import text

ROOT = pathlib.Path(__file__).resolve().parents[2]


def plant(root, here, body, opening=True):
    """Write `body` as the file `here`, under a proper opening comment."""
    path = pathlib.Path(root, here)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"/*\n * {here} - a fixture.\n */\n" if opening else ""
    path.write_text(head + body)
    shutil.copy(ROOT / ".clang-format", root)


def guarded(here, body):
    name = text.guard(here)
    return f"#ifndef {name}\n#define {name}\n\n{body}\n#endif\n"


def red(check, root, *words):
    found = list(check.problems(root))
    assert len(found) == 1, found
    for word in words:
        assert word in found[0]


GOOD_LAYERS = [
    ("net/ipv4.c", "net/arp.h"),
    ("net/ipv4.c", "kernel/base.h"),
    ("net/flow_read.c", "kernel/thread.h"),
    ("drivers/virtio_net.c", "net/netdev.h"),
    ("boot/main.c", "drivers/pci.h"),
    ("apps/http_hello/main.c", "apps/http_hello/page.h"),
    ("apps/http_hello/main.c", "http_hello/page.h"),
]
BAD_LAYERS = [
    ("kernel/page.c", "net/net.h"),
    ("net/tcp.c", "kernel/thread.h"),
    ("net/tcp.c", "drivers/pci.h"),
    ("drivers/virtio_net.c", "net/tcp.h"),
    ("libc-shim/write.c", "net/tcp_private.h"),
    ("libc-shim/write.c", "boot/main.h"),
    ("apps/echo/main.c", "drivers/pci.h"),
    ("apps/echo/main.c", "apps/http_hello/page.h"),
    ("boot/main.c", "apps/echo/main.h"),
    ("kernel/page.c", "kernelsecret.h"),
]


@pytest.mark.parametrize("here, header", GOOD_LAYERS)
def test_an_include_within_the_layers_passes(tmp_path, here, header):
    plant(tmp_path, here, f'#include "{header}"\n')
    assert not list(layers.problems(tmp_path))


@pytest.mark.parametrize("here, header", BAD_LAYERS)
def test_an_include_against_the_layers_is_named(tmp_path, here, header):
    plant(tmp_path, here, f'#include "{header}"\n')
    red(layers, tmp_path, f"{here}:4:", header)


def test_the_stack_asks_the_system_for_nothing(tmp_path):
    plant(tmp_path, "net/tcp.c", "#include <stdint.h>\n#include <time.h>\n")
    red(layers, tmp_path, "net/tcp.c:5:", "<time.h>")


BODY = "int f(void);\n\nint f(void)\n{\n%s}\n"
BAD_TEXT = [
    ("#if 1\n#endif\n", "conditional"),
    ("#ifdef __linux__\n#endif\n", "conditional"),
    ("/* " + "x" * 80 + " */\n", "columns"),
    (BODY % ("    g();\n" * 61), "61 lines"),
    ("int x;\n" * 500, "503 lines"),
    ("/* TO" "DO: later */\n", "TO" "DO"),
    ("/* FIX" "ME */\n", "FIX" "ME"),
]


@pytest.mark.parametrize("body, words", BAD_TEXT)
def test_a_fault_in_the_text_is_named(tmp_path, body, words):
    plant(tmp_path, "net/tcp.c", body)
    red(text, tmp_path, "net/tcp.c:", words)


def test_a_function_of_60_lines_passes(tmp_path):
    plant(tmp_path, "net/tcp.c", BODY % ("    g();\n" * 60))
    assert not list(text.problems(tmp_path))


def test_a_table_may_be_long(tmp_path):
    rows = "    1,\n" * 100
    plant(tmp_path, "net/tcp.c", "const int t[] = {\n" + rows + "};\n")
    assert not list(text.problems(tmp_path))


def test_a_file_says_its_own_path(tmp_path):
    plant(tmp_path, "net/tcp.c", "/*\n * net/ip.c - x\n */\n", opening=False)
    red(text, tmp_path, "net/tcp.c:1:", "opens with")


def test_a_guard_is_named_after_its_file(tmp_path):
    plant(tmp_path, "net/tcp.h", "#ifndef TCP_H\n#define TCP_H\n#endif\n")
    red(text, tmp_path, "NET_TCP_H")


def test_a_test_opens_with_a_comment_too(tmp_path):
    plant(tmp_path, "tests/unit/test_a.c", "int x;\n", opening=False)
    red(text, tmp_path, "tests/unit/test_a.c:1:")


def test_a_layout_of_ones_own_is_named(tmp_path):
    plant(tmp_path, "net/tcp.c", "int  x  =  1;\n")
    red(layout, tmp_path, "net/tcp.c:4:", "clang-format")
    plant(tmp_path, "net/tcp.c", "int x = 1;\n")
    assert not list(layout.problems(tmp_path))


def test_a_header_that_needs_another_is_named(tmp_path):
    plant(tmp_path, "net/tcp.h", guarded("net/tcp.h", "extern uint8_t x;"))
    found = list(headers.problems(tmp_path))
    assert [("gcc" in line, "clang" in line) for line in found] == [
        (True, False), (False, True)]
    plant(tmp_path, "net/tcp.h", guarded(
        "net/tcp.h", "#include <stdint.h>\nextern uint8_t x;"))
    assert not list(headers.problems(tmp_path))


BAD_STATE = ["static int x; int *f(void) { return &x; }\n", "int x;\n",
             "int x = 3;\n", "_Thread_local int x;\n",
             "int *f(void) { static int x; return &x; }\n",
             "int x __attribute__((common));\n",
             "int y(void); int (*x)(void) = y;\n"]
GOOD_STATE = ["const int x = 3;\n", "int f(int x) { return x; }\n",
              "extern int x; int f(void) { return x; }\n",
              "int y(void); int (*const x)(void) = y;\n",
              'const char *const x[] = {"a", "b"};\n']


@pytest.mark.parametrize("folder", ["net", "drivers"])
@pytest.mark.parametrize("body", BAD_STATE)
def test_mutable_state_is_named(tmp_path, folder, body):
    plant(tmp_path, f"{folder}/a.c", body)
    red(state, tmp_path, f"{folder}/a.c:", "`x")


@pytest.mark.parametrize("body", GOOD_STATE)
def test_constants_are_no_state(tmp_path, body):
    plant(tmp_path, "net/a.c", body)
    assert not list(state.problems(tmp_path))


def test_a_kernel_file_has_one_variable_named_as_itself(tmp_path):
    use = "int *f(void) { return &%s.i; }\n"
    page = "static struct { int i; } %s;\n" + use
    plant(tmp_path, "kernel/page.c", page % ("page", "page"))
    assert not list(state.problems(tmp_path))
    plant(tmp_path, "kernel/page.c", page % ("other", "other"))
    red(state, tmp_path, "not `other`")
    plant(tmp_path, "kernel/page.c", page % ("page", "page") + "int second;\n")
    red(state, tmp_path, "2 variables")


LOGS = 'log_at(up ? LOG_INFO : LOG_ERROR,\n       "arp", "x");\n'


@pytest.mark.parametrize("names, words", [
    ("", ("net/arp.c", "`arp`")), ("arp tcp", ("boot/config.c", "`tcp`"))])
def test_modules_that_log_are_those_that_are_named(tmp_path, names, words):
    plant(tmp_path, "net/arp.c", LOGS)
    plant(tmp_path, "boot/config.c", f'char modules[] =\n    "{names} ";\n')
    red(logs, tmp_path, *words)
    plant(tmp_path, "boot/config.c", 'char modules[] =\n    "arp ";\n')
    assert not list(logs.problems(tmp_path))


def test_a_row_without_a_test_is_named(tmp_path):
    names = [f"arp__{letter}{number}_is_dropped"
             for letter, count in rows.GROUPS.items()
             for number in range(1, count + 1)]
    body = "".join(f"static void {name}(void **state)\n{{\n}}\n"
                   for name in names)
    run = "".join(f"TEST({name})\n" for name in names)
    plant(tmp_path, "tests/unit/test_a.c", body + run)
    assert not list(rows.problems(tmp_path))
    plant(tmp_path, "tests/unit/test_a.c",
          body + run.replace("TEST(arp__A7_is_dropped)\n", ""))
    red(rows, tmp_path, "row A7")
    plant(tmp_path, "tests/unit/test_a.c",
          (body + run).replace("arp__F20_", "arp__F19_"))
    red(rows, tmp_path, "row F20")


def test_one_test_may_show_many_rows(tmp_path):
    name = "arp__A2_A3_I7_other_formats_are_dropped"
    plant(tmp_path, "tests/unit/test_a.c",
          f"static void {name}(void **state)\nTEST({name})\n")
    assert rows.shown(tmp_path) == {"A2", "A3", "I7"}
    assert list(rows.ids("C9_C12__a_claim_about_C13")) == ["C9", "C12"]
