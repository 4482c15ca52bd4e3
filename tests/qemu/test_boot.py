"""From the boot loader to main(), and the ways in which it can end."""
import os
import subprocess
import time

import pytest

import guest as guests

STATUS_PANIC, STATUS_BOOT = 125, 126
MULTIBOOT1_MAGIC = bytes.fromhex("02b0ad1b")


@pytest.fixture(scope="module")
def image():
    """build/crash.elf: says its arguments, then does what the first says."""
    return guests.build("crash")


def boot(start, image, args="", **options):
    return start(image, args, net=guests.NoNet(), **options)


def expect(one, status, *lines):
    """It ends with `status`, and said each of `lines`."""
    assert one.wait_exit() == status, one.console
    for line in lines:
        assert line in one.console


# --- every loader, every machine -------------------------------------------

@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("machine", ["pc", "q35", "microvm"])
def test_multiboot_by_qemu(start, image, machine, cpu):
    device = "virtio-rng-device" if machine == "microvm" else \
        "virtio-rng-pci"
    one = boot(start, image, "status 0 'x", machine=machine, cpu=cpu,
               rng=False, extra=["-device", device])
    expect(one, 0, "multiboot by qemu", "argv[0] is <crash>",
           "argv[2] is <0>", "argv[3] is <'x>")
    assert "argv[4]" not in one.console  # QEMU's file name is not a word


@pytest.fixture(scope="module")
def pvh_image(image, tmp_path_factory):
    """Without the header that QEMU prefers, it takes the PVH note."""
    content = bytearray(image.read_bytes())
    at = content.find(MULTIBOOT1_MAGIC, 0, 0x2000)  # as a loader looks
    content[at:at + 4] = bytes(4)
    path = tmp_path_factory.mktemp("pvh") / "crash.elf"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("machine", ["pc", "q35", "microvm"])
def test_pvh(start, pvh_image, machine):
    one = boot(start, pvh_image, "hello world", machine=machine, rng=False)
    expect(one, 0, "info boot: pvh by", "argv[1] is <hello>",
           "argv[2] is <world>")


@pytest.mark.parametrize("multiboot, name", [(1, "multiboot by GRUB"),
                                             (2, "multiboot2 by GRUB")])
def test_a_grub_cd_boots_through_both_protocols(start, image, tmp_path,
                                                multiboot, name):
    iso = tmp_path / "crash.iso"
    subprocess.run([guests.ROOT / "scripts/iso.sh", image, iso,
                    'hello "two words"'], check=True,
                   env={**os.environ, "MULTIBOOT": str(multiboot)})
    assert iso.stat().st_size < 1500 * 1024
    one = boot(start, image, boot=["-cdrom", str(iso)])
    expect(one, 0, name, "argv[1] is <hello>")


@pytest.mark.parametrize("memory", [4, 8, 16, 128, 3000])
def test_every_page_of_every_size_of_memory_works(start, image, memory):
    one = boot(start, image, "all-memory", memory=memory)
    found = one.wait_for(r"pages (\d+) of (\d+), free before (\d+), "
                         r"after (\d+)")
    pages, total, before, after = map(int, found.groups())
    assert pages == before == after
    assert total * 4096 > (memory << 20) - (2 << 20)
    expect(one, 0)


def test_memory_above_4_gib_is_used(start, image):
    one = boot(start, image, memory=5120, machine="q35")
    kib = int(one.wait_for(r"(\d+) KiB of memory").group(1))
    assert kib > (5120 - 16) * 1024
    expect(one, 0)


def test_a_command_line_that_is_too_long_is_refused(start, image):
    one = boot(start, image, "x" * 4096, rng=False)
    expect(one, STATUS_BOOT, "command line is longer")


def test_memory_is_copied_set_and_compared_right(start, image):
    expect(boot(start, image, "copies"), 0, "copies is done")


# --- how it ends -------------------------------------------------------------

@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("status", [0, 1, 64, 127])
def test_mains_value_is_the_exit_status(start, image, machine, status):
    expect(boot(start, image, f"status {status}", machine=machine), status)


def test_without_the_device_the_console_says_the_status(start, image):
    one = boot(start, image, "status 7", debug_exit=False)
    expect(one, 0, "runnel: exit status 7")


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_the_power_button_is_a_stop_event(start, image, machine):
    one = boot(start, image, "button", machine=machine)
    one.wait_for("^waiting")
    one.power_button()
    expect(one, 0, "stop 1", "button is done")


PANICS = {
    "stack-overflow": ["panic: stack overflow in thread deep", "endless+0x"],
    "stack-leap": ["panic: stack overflow in thread wide", "wide+0x"],
    "null-write": ["panic: page fault: write at 0x0, a null pointer",
                   "write_to+0x", "main+0x"],
    "text-write": ["panic: page fault: write at 0x1", "write_to+0x"],
    "rodata-write": ["panic: page fault: write at 0x1", "write_to+0x"],
    "heap-execute": ["panic: page fault: execution at 0x"],
    "data-execute": ["panic: page fault: execution at 0x"],
    "page-execute": ["panic: page fault: execution at 0x"],
    "invalid-instruction": ["panic: invalid instruction", "main+0x"],
    "divide": ["panic: division error"],
    "assertion": ["panic: two == 3", "crash/main.c:", "main+0x"],
    "canary": ["panic: a stack canary was overwritten"],
    "free-twice": ["panic: state[0] ==", "kernel/page.c:", "main+0x"],
    "abort": ["panic: abort()", "main+0x"],
}


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("act", PANICS)
def test_a_bug_panics_with_its_name(start, image, act, cpu):
    one = boot(start, image, act, cpu=cpu)
    expect(one, STATUS_PANIC, *PANICS[act], "threads:", "main: sleep")
    assert f"{act} is done" not in one.console
    assert ":0 in thread" not in one.console  # a place that is none


def test_a_panic_shows_registers_and_what_threads_wait_for(start, image):
    one = boot(start, image, "stack-overflow")
    expect(one, STATUS_PANIC, "registers:", "rip 0000000000", "cr2 0000",
           "deep: running", "program: sleep")


# --- time and chance ---------------------------------------------------------

@pytest.mark.parametrize("machine, cpu", [("pc", "qemu64"), ("q35", "max"),
                                          ("microvm", "qemu64")])
def test_sleeping_takes_as_long_as_it_should(start, image, machine, cpu):
    one = boot(start, image, "sleep", machine=machine, cpu=cpu, rng=False)
    slept = int(one.wait_for(r"slept (\d+) us").group(1))
    assert slept >= 300_000
    now = int(one.wait_for(r"the time is (\d+)").group(1))
    if machine != "microvm":  # which need not have such a clock
        assert abs(now - time.time()) < guests.PATIENCE_S
    expect(one, 0)


def test_an_idle_guest_halts(start, image):
    one = boot(start, image, "button")
    one.wait_for("^waiting")
    used, began = one.cpu_seconds(), time.monotonic()
    time.sleep(3)
    share = (one.cpu_seconds() - used) / (time.monotonic() - began)
    assert share < 0.2
    one.power_button()
    expect(one, 0)


def test_two_boots_have_different_random_numbers(start, image):
    numbers = set()
    for rng, cpu in [(True, "qemu64"), (False, "qemu64"), (False, "max"),
                     (True, "max")] * 2:
        one = boot(start, image, "random", rng=rng, cpu=cpu)
        numbers.add(one.wait_for(r"random ([0-9a-f]{32})").group(1))
        warned = "warning random: NO SOURCE" in one.console
        assert warned == (not rng and cpu == "qemu64")
        expect(one, 0)
    assert len(numbers) == 8
