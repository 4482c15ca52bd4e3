"""What make run and make debug start: the scripts, as a person meets them."""
import os
import signal
import socket
import subprocess

import pytest

import guest as guests
import web

SCRIPTS = guests.ROOT / "scripts"
IMAGE = str(guests.BUILD / "http_hello.elf")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


def test_run_says_when_the_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = run(PORT=str(port))
        text = process.stdout.read()
        assert process.wait() == 1
    assert f"port {port}" in text and "make run PORT=" in text


@pytest.mark.parametrize("name, value", [
    ("PORT", "no"), ("PORT", "70000"), ("ACCEL", "warp"), ("MEM", "1"),
    ("MEM", "0"), ("MEM", "64M"), ("MEM", "-64")])
def test_run_refuses_what_is_not_meant(name, value):
    process = run(**{"PORT": str(free_port()), name: value})
    assert value in process.stdout.read()
    assert process.wait() == 1


def test_run_of_a_client_needs_no_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = run("", image=str(guests.BUILD / "ping.elf"),
                      PORT=str(taken.getsockname()[1]),
                      ARGS="--count=1 10.0.2.2")
        text = process.stdout.read()
        assert process.wait() == 0, text
    assert "127.0.0.1" not in text


def test_run_does_not_start_what_kvm_cannot():
    """A machine would stand there, paused, for ever."""
    process = run(PORT=str(free_port()), ACCEL="kvm", ARGS="--nonsense")
    text = process.stdout.read()
    said = {1: "ACCEL=kvm: no KVM: ", 64: "accelerator kvm (KVM: "}
    assert said[process.wait()] in text


def make(*words):
    """make in the root, as if nobody's make had called it."""
    quiet = {name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *words], cwd=guests.ROOT, env=quiet,
                          capture_output=True, text=True, check=False)


@pytest.mark.parametrize("setting, says", [
    ("APP=/nosuch", "no such folder"), ("APP_NAME=nosuch", "http_hello")])
def test_make_says_what_there_is_not(setting, says):
    made = make("-n", "run", setting)
    assert made.returncode == 2
    assert setting in made.stderr and says in made.stderr


def outside(folder):
    folder.mkdir(parents=True)
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    os.utime(folder / "main.c", (1, 1))
    return f"APP={folder}"


def test_make_refuses_a_folder_with_the_name_of_one_of_the_tree(tmp_path):
    made = make("-n", outside(tmp_path / "echo"))
    assert made.returncode == 2 and "has that name" in made.stderr


def test_make_does_not_take_one_folder_for_another_of_its_name(tmp_path):
    target = f"BUILD={guests.BUILD}", f"{guests.BUILD}/guest/app/same/main.o"
    for where in ("one", "other"):
        made = make(outside(tmp_path / where / "same"), *target)
        assert made.returncode == 0, made.stderr
        assert "CC " in made.stdout


def test_run_passes_arguments_and_the_exit_status_on():
    process = run(PORT=str(free_port()), ARGS="--nonsense")
    assert "nonsense" in process.stdout.read()
    assert process.wait() == 64


def test_the_kvm_probe_says_why():
    probe = subprocess.run([SCRIPTS / "kvm-probe"], capture_output=True,
                           text=True, check=False, timeout=guests.PATIENCE_S)
    wanted = {0: "KVM: ", 1: "no KVM: "}[probe.returncode]
    assert probe.stdout.startswith(wanted)


def test_debug_stops_in_main_with_symbols():
    session = subprocess.run(
        [SCRIPTS / "debug.sh", IMAGE, "-batch", "-ex", "backtrace 1",
         "-ex", "kill"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
        timeout=guests.PATIENCE_S)
    assert "main (argc=1" in session.stdout
    assert "apps/http_hello/main.c:" in session.stdout
