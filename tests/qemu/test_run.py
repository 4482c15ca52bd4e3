"""What make run and make debug start: the scripts, as a person meets them."""
import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios

import pytest

import guest as guests
import web

SCRIPTS = guests.ROOT / "scripts"
IMAGE = str(guests.BUILD / "http_hello.elf")

sys.path.append(str(SCRIPTS))
import kvm_probe


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def taken_port(kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        yield taken.getsockname()[1]


def quiet():
    """The environment, as if nobody's make had called us."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS"))}


def hear_ctrl_c():
    """Who started the tests in the background may have SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(*guest_port, image=IMAGE, **settings):
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", SCRIPTS / "run.sh", image,
         *(guest_port or ["80"])],
        env={**os.environ, "ACCEL": "tcg", **settings},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, preexec_fn=hear_ctrl_c)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_run_serves_until_ctrl_c(stop):
    port = free_port()
    process = run(PORT=str(port))
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("runnel: ready"):
            break
    assert any(f"http://127.0.0.1:{port}/" in line for line in lines), lines
    assert any("accelerator tcg" in line for line in lines)
    with web.browse(port) as browser:
        assert browser.get("/", more="Connection: close\r\n").status == 200
    process.send_signal(stop)
    rest = process.stdout.read()
    assert process.wait(guests.PATIENCE_S) == 0, rest
    assert "power button" in rest


def take_terminal():
    """What is our standard input becomes the session's terminal, and its end
    is heard, whatever nohup(1) has made of that for the tests."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextlib.contextmanager
def terminal(*command, **settings):
    """A command that leads the session of a terminal: the process, and the
    other side of the terminal, which is closed with the block. That has to
    end the process."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command], cwd=guests.ROOT,
        env={**quiet(), **settings}, stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True, preexec_fn=take_terminal)
    os.close(theirs)
    try:
        with open(ours, encoding="utf-8") as screen:
            yield process, screen
        process.wait(guests.PATIENCE_S)
    finally:
        process.terminate()  # which make hands on
        process.wait()


def test_run_ends_with_its_terminal_when_make_leads_the_session():
    """A closed terminal tells make alone, which waits for its children."""
    port = free_port()
    with terminal("make", "run", f"BUILD={guests.BUILD_NAME}", ACCEL="tcg",
                  PORT=str(port)) as (process, screen):
        while "runnel: ready" not in screen.readline():
            assert process.poll() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


QEMU = "qemu-system-x86_64"


def fake(folder, programs):
    """PATH with programs of a test's own before all others."""
    for name, body in programs.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("moment", ["date", "sleep"])
def test_the_exit_status_is_known_however_soon_qemu_ends(moment, tmp_path):
    """The button is pressed, and QEMU has ended before that is done: nobody is
    there to read of it. Or while the timer runs: it holds no output."""
    end, over = tmp_path / "end", tmp_path / "over"
    ends = {moment: f"touch {end}; /bin/sleep 1"}
    path = fake(tmp_path, {
        "date": f"{ends.get('date', ':')}; echo 1",
        "sleep": f"{ends.get('sleep', ':')}; "
                 f"until [ -e {over} ]; do /bin/sleep 0.01; done",
        QEMU: f"echo runs; until [ -e {end} ]; do /bin/sleep 0.01; done; "
              "exit 3"})
    process = run(PATH=path, PORT=str(free_port()))
    while process.stdout.readline() != "runs\n":
        pass
    process.terminate()
    try:
        text = process.communicate(timeout=guests.PATIENCE_S)[0]
    finally:
        process.kill()
        end.touch()  # whatever went wrong, nobody stays
        over.touch()
    assert "the program ended with status 1" in text
    assert process.wait() == 1


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_run_says_when_the_port_is_taken_and_which_is_not(kind):
    with taken_port(kind) as port:
        process = run(PORT=str(port))
        text = process.stdout.read()
        assert process.wait() == 1
        assert f"port {port} of 127.0.0.1 cannot be used" in text
        other = int(re.search(r"such as PORT=(\d+)\n", text)[1])
        for one in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            with socket.socket(type=one) as probe:
                probe.bind(("127.0.0.1", other))


def test_a_port_that_is_proposed_is_not_taken_either():
    with taken_port() as port, socket.socket() as beside:
        try:
            beside.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            pass  # somebody has it: as good
        process = run(PORT=str(port))
        text = process.stdout.read()
        assert process.wait() == 1
        assert "such as PORT=" in text and f"PORT={port + 1}\n" not in text


PORTS, MIB = "from 1 to 65535", "from 2 to "
REFUSED = [
    ("PORT", "no", PORTS), ("PORT", "0", PORTS), ("PORT", "65536", PORTS),
    ("PORT", "99999999999999999999", PORTS), ("ACCEL", "warp", "kvm or tcg"),
    ("MEM", "1", MIB), ("MEM", "0", MIB), ("MEM", "64M", MIB),
    ("MEM", "-64", MIB), ("MEM", "99999999", MIB),
    ("MEM", "99999999999999999999", MIB)]


@pytest.mark.parametrize("name, value, right", REFUSED)
def test_run_refuses_what_is_not_meant(name, value, right):
    process = run(**{"PORT": str(free_port()), name: value})
    text = process.stdout.read()
    assert f"run: {name}={value}: " in text and right in text
    assert process.wait() == 1


def test_run_forwards_datagrams_too():
    port = free_port()
    process = run("7", image=str(guests.BUILD / "echo.elf"), PORT=str(port))
    for line in process.stdout:
        if line.startswith("runnel: ready"):
            break
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.connect(("127.0.0.1", port))
        one.settimeout(guests.PATIENCE_S)
        one.send(b"echoed")
        assert one.recv(100) == b"echoed"
    process.terminate()
    rest = process.stdout.read()
    assert process.wait(guests.PATIENCE_S) == 0, rest


def test_run_of_a_client_needs_no_port():
    with taken_port() as port:
        process = run("", image=str(guests.BUILD / "ping.elf"),
                      PORT=str(port), ARGS="--count=1 10.0.2.2")
        text = process.stdout.read()
        assert process.wait() == 0, text
    assert "127.0.0.1" not in text


def test_run_does_not_start_what_kvm_cannot():
    """A machine would stand there, paused, for ever."""
    process = run(PORT=str(free_port()), ACCEL="kvm", ARGS="--nonsense")
    text = process.stdout.read()
    said = {1: "ACCEL=kvm: no KVM: ", 64: "accelerator kvm (KVM: "}
    assert said[process.wait()] in text


@pytest.mark.parametrize("sections, there, absent", [
    (["build"], ["build-essential", "qemu-system-x86"], ["clang", "valgrind"]),
    (["build", "test"], ["qemu-system-x86", "clang", "nmap"], ["valgrind"]),
    (["bench"], ["valgrind"], ["nmap", "qemu-system-x86"])])
def test_packages_are_installed_by_section(tmp_path, sections, there, absent):
    path = fake(tmp_path, {"dpkg-query": "exit 1", "id": "echo 1000",
                           "sudo": "exit 0"})
    said = subprocess.run([SCRIPTS / "packages.sh", *sections], text=True,
                          env={**os.environ, "PATH": path}, check=True,
                          capture_output=True).stdout.split()
    assert set(there) <= set(said) and not set(absent) & set(said)
    assert "#" not in said and "service" not in said


def make(*words, **settings):
    """make in the root, as if nobody's make had called it."""
    return subprocess.run(["make", *words], cwd=guests.ROOT,
                          env={**quiet(), **settings}, capture_output=True,
                          text=True, check=False)


@pytest.mark.parametrize("setting, says", [
    ("APP=/nosuch", "no such folder"), ("APP_NAME=nosuch", "http_hello"),
    ("APP=/two words", "a path with a space")])
def test_make_says_what_there_is_not(setting, says):
    made = make("-n", "run", setting)
    assert made.returncode == 2
    assert setting in made.stderr and says in made.stderr


def test_make_says_that_no_folder_of_its_own_path_has_a_space(tmp_path):
    for name in "Makefile", "scripts":
        (tmp_path / "two words").mkdir(exist_ok=True)
        (tmp_path / "two words" / name).symlink_to(guests.ROOT / name)
    made = make("-C", tmp_path / "two words", "help")
    assert made.returncode == 2 and "two words: put the tree" in made.stderr


@pytest.mark.parametrize("words, settings, port", [
    (["APP_NAME=echo"], {}, "7"), (["APP_NAME=ping"], {}, ""),
    ([], {}, "80"), (["RUN_PORT=81"], {}, "81"), ([], {"RUN_PORT": "81"}, "81"),
    ([], {"RUN_PORT": ""}, "")])
def test_make_knows_where_the_image_listens(words, settings, port):
    made = make("-n", "run", *words, **settings)
    assert re.search(r'scripts/run.sh \S+\.elf "(\d*)"\n', made.stdout)[1] == port


def outside(folder):
    folder.mkdir(parents=True)
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    os.utime(folder / "main.c", (1, 1))
    return f"APP={folder}"


def test_make_refuses_a_folder_with_the_name_of_one_of_the_tree(tmp_path):
    made = make("-n", outside(tmp_path / "echo"))
    assert made.returncode == 2 and "has that name" in made.stderr


def compiled(app, name, *words):
    return make(app, *words, f"BUILD={guests.BUILD_NAME}",
                f"{guests.BUILD_NAME}/guest/app/{name}/main.o")


def test_make_does_not_take_one_folder_for_another_of_its_name(tmp_path):
    for where in ("one", "other"):
        made = compiled(outside(tmp_path / where / "same"), "same")
        assert made.returncode == 0, made.stderr
        assert "CC " in made.stdout


def test_an_application_outside_chooses_its_warnings(tmp_path):
    app, main = outside(tmp_path / "warned"), tmp_path / "warned/main.c"
    main.write_text("static int unused;\n" + main.read_text())
    for flags, status, warned in ((None, 0, True), ("-Wall -Werror", 2, True),
                                  ("-Wno-all -DNAME=main", 0, False)):
        made = compiled(app, "warned", *([f"APP_FLAGS={flags}"] * bool(flags)))
        assert made.returncode == status, made.stderr
        assert ("unused" in made.stderr) == warned


def test_an_image_that_is_not_optimised_as_a_whole_runs():
    made = make("LTO=0", "build/quick/echo.elf")
    assert made.returncode == 0, made.stderr
    process = run("", image=str(guests.ROOT / "build/quick/echo.elf"),
                  ARGS="--port=0")
    assert "(1 to 65535, as in 7)" in process.stdout.read()
    assert process.wait() == 64


def test_make_optimises_as_a_whole_unless_told_not_to():
    for lto, status, wanted in (("1", 0, " -flto=auto "),
                                ("yes", 2, "LTO=yes: 0, or 1")):
        made = make(f"LTO={lto}", "V=1", "-nB", "build/guest/net/net.c.o")
        assert made.returncode == status, made.stderr
        assert wanted in made.stdout + made.stderr


def test_run_passes_arguments_and_the_exit_status_on():
    process = run(PORT=str(free_port()), ARGS="--nonsense")
    assert "nonsense" in process.stdout.read()
    assert process.wait() == 64


def test_the_kvm_probe_says_why():
    probe = subprocess.run([SCRIPTS / "kvm_probe.py", IMAGE],
                           capture_output=True, text=True, check=False)
    wanted = {0: "KVM: ", 1: "no KVM: "}[probe.returncode]
    assert probe.stdout.startswith(wanted)


# What QEMU does under TCG and under KVM; whether KVM is fit, and why.
RACES = {
    "good": ("sleep 0.2", "exit 0", True, "the image ran"),
    "crawls": ("exit 0", "exec sleep 600", False,
               "does not run the image at speed"),
    "breaks": ("exit 0", "echo warning: x; echo no vcpu; exit 1", False,
               "QEMU ended with 1: no vcpu"),
    "broken-image": ("exit 3", "exit 0", False, "under TCG either"),
}


@pytest.mark.parametrize("race", RACES)
def test_kvm_is_used_where_it_is_not_slower_than_emulation(
        race, tmp_path, monkeypatch):
    tcg, kvm, fit, why = RACES[race]
    monkeypatch.setenv("PATH", fake(tmp_path, {
        QEMU: f"case $2 in tcg) {tcg} ;; kvm) {kvm} ;; esac"}))
    monkeypatch.setattr(kvm_probe, "DEVICE", "/dev/null")
    assert kvm_probe.judge(IMAGE, "64")[0] == fit
    assert why in kvm_probe.judge(IMAGE, "64")[1]


def test_without_a_device_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(kvm_probe, "DEVICE", "/nosuch")
    monkeypatch.setenv("PATH", "")
    assert kvm_probe.judge(IMAGE, "64") == (False, "there is no /nosuch")


@pytest.mark.parametrize("words", [
    [], [IMAGE], [IMAGE, "out.iso", "--name=web1", "--logs=debug"]])
def test_the_maker_of_a_cd_says_how_it_is_called(words, tmp_path):
    made = subprocess.run([SCRIPTS / "iso.sh", *words], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert made.returncode == 64 and not list(tmp_path.iterdir())
    assert made.stderr == 'usage: iso.sh IMAGE.elf OUT.iso ["COMMAND LINE"]\n'


def debug(*commands, **settings):
    """make debug, with commands for gdb once main() is reached."""
    words = [word for one in commands for word in ("-ex", one)]
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", SCRIPTS / "debug.sh", IMAGE, "80",
         "-batch", *words],
        env={**os.environ, "PORT": str(free_port()), **settings},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


def test_debug_stops_in_main_with_symbols():
    session = debug("backtrace 1", "kill")
    text = session.stdout.read()
    session.wait(guests.PATIENCE_S)
    assert "main (argc=1" in text
    assert "apps/http_hello/main.c:" in text


def test_debug_leads_a_port_to_the_image():
    port = free_port()
    session = debug("break http_serve", "continue", "backtrace 1", "kill",
                    PORT=str(port))
    text = ""
    for line in session.stdout:
        text += line
        if line.startswith("runnel: ready"):
            break
    with socket.create_connection(("127.0.0.1", port), guests.PATIENCE_S):
        text += session.stdout.read()
    session.wait(guests.PATIENCE_S)
    assert f"127.0.0.1:{port} leads to its port 80" in text
    assert "http_serve (" in text


def test_debug_refuses_what_run_refuses():
    for name in "MEM", "PORT":
        session = debug(**{name: "0"})
        assert f"debug: {name}=0: " in session.stdout.read()
        assert session.wait() == 1
