"""virtio-net with every feature off, one at a time, in pairs, and all of them:
each boots, and passes a page and a stream of known content both ways.

Over TAP, as QEMU's own network never segments or checks a sum for the guest.
"""
import itertools
import re
import socket

import pytest

import guest as guests
import netns
import stream
import web

MIB = 1 << 20

# QEMU's property of the device, and the number of the feature's bit.
FEATURES = {
    "csum": 0, "guest_csum": 1, "guest_tso4": 7, "guest_ecn": 9,
    "host_tso4": 11, "host_ecn": 13, "mrg_rxbuf": 15, "status": 16,
    "ctrl_vq": 17, "guest_announce": 21, "event_idx": 29,
}
ALL = tuple(FEATURES)
ANY_LAYOUT = 27
VERSION_1 = 32
# What else a legacy device may lack.
LEGACY = {**FEATURES, "any_layout": ANY_LAYOUT}

MODERN_CARD = "virtio-net-pci,disable-legacy=on"
LEGACY_CARD = "virtio-net-pci,disable-modern=on"
TRANSITIONAL_CARD = "virtio-net-pci,disable-modern=off,disable-legacy=off"


def without(card, *features):
    """The card with so many of its properties off; vectors is a number."""
    return "".join([card, *(",vectors=0" if one == "vectors" else f",{one}=off"
                            for one in features)])


class Card(guests.TapNet):
    """A card on the namespace's TAP; `more` goes to QEMU's -netdev."""

    def __init__(self, namespace, device, more=""):
        super().__init__(namespace, netns.TAP, device)
        self.more = more

    def options(self, scratch):
        words = super().options(scratch)
        words[1] += self.more
        return words


def negotiated(server):
    return int(server.wait_for(r"net0: .* features 0x([0-9a-f]+)$")[1], 16)


def echoes(start, namespace, device, args="", more="", **options):
    """A MiB through the echo server; the features that were negotiated."""
    server = start("echo", args, net=Card(namespace, device, more),
                   **options).ready()
    stream.echo(namespace.connect(7, guests.PATIENCE_S), MIB)
    features = negotiated(server)
    server.kill()
    return features


def serves(start, namespace, device, args=""):
    server = start("http_hello", args, net=Card(namespace, device)).ready()
    with web.Browser(namespace.connect(80, guests.PATIENCE_S)) as browser:
        assert browser.get("/").status == 200
    server.kill()


def assert_without(features, off, known):
    """What is off is not there, nor what needs it; the rest is."""
    for name in off:
        if name in known:
            assert not features >> known[name] & 1, (name, hex(features))


# ---- one at a time, by the device ----

@pytest.mark.parametrize("off", [*ALL, "vectors"])
def test_modern_card_without_one_feature(start, namespace, off):
    card = without(MODERN_CARD, off)
    features = echoes(start, namespace, card)
    assert features >> VERSION_1 & 1
    assert_without(features, [off], FEATURES)


@pytest.mark.parametrize("off", ["csum", "guest_csum", "guest_tso4",
                                 "mrg_rxbuf", "event_idx", "any_layout",
                                 "vectors"])
def test_legacy_card_without_one_feature(start, namespace, off):
    features = echoes(start, namespace, without(LEGACY_CARD, off))
    assert not features >> VERSION_1 & 1
    assert_without(features, [off], LEGACY)


# ---- one at a time, by the command line ----

@pytest.mark.parametrize("off", [*ALL, "mac", "mtu", "msix"])
def test_command_line_forbids_one_feature(start, namespace, off):
    features = echoes(start, namespace, MODERN_CARD, f"--virtio-off={off}")
    assert_without(features, [off], {**FEATURES, "mtu": 3, "mac": 5})


def test_command_line_forbids_the_modern_interface(start, namespace):
    features = echoes(start, namespace, TRANSITIONAL_CARD,
                      "--virtio-off=modern")
    assert not features >> VERSION_1 & 1


@pytest.mark.parametrize("word", ["mrg_rxbuff", "", "csum,", "CSUM", "csum tso"])
def test_unknown_feature_is_a_usage_error(start, word):
    one = start("echo", f'"--virtio-off={word}"')
    assert one.wait_exit() == 64
    assert "--virtio-off" in one.console


# ---- none, all, pairs ----

@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("card", [MODERN_CARD, LEGACY_CARD, TRANSITIONAL_CARD])
def test_card_with_everything(start, namespace, card, machine):
    features = echoes(start, namespace, card, machine=machine)
    legacy = card == LEGACY_CARD
    assert not features >> VERSION_1 & 1 if legacy else features >> VERSION_1
    for name, bit in FEATURES.items():
        assert features >> bit & 1, name


@pytest.mark.parametrize("card", [MODERN_CARD, LEGACY_CARD])
def test_card_with_nothing(start, namespace, card):
    features = echoes(start, namespace,
                      without(card, *ALL, "any_layout", "vectors"))
    assert_without(features, LEGACY, LEGACY)
    serves(start, namespace, without(card, *ALL, "any_layout", "vectors"))


@pytest.mark.parametrize("card", [MODERN_CARD, LEGACY_CARD])
def test_command_line_forbids_everything(start, namespace, card):
    features = echoes(start, namespace, card, "--virtio-off=all")
    assert features in (0, 1 << VERSION_1)
    serves(start, namespace, card, "--virtio-off=all")


# The pairs in which one changes what the other means; all are in the soak.
PAIRS = [("mrg_rxbuf", "guest_tso4"), ("mrg_rxbuf", "guest_csum"),
         ("mrg_rxbuf", "event_idx"), ("csum", "guest_csum"),
         ("host_tso4", "guest_tso4"), ("event_idx", "vectors"),
         ("mrg_rxbuf", "vectors"), ("host_tso4", "event_idx"),
         ("status", "ctrl_vq")]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_modern_card_without_two_features(start, namespace, pair):
    assert_without(echoes(start, namespace, without(MODERN_CARD, *pair)),
                   pair, FEATURES)


@pytest.mark.parametrize("pair", [("mrg_rxbuf", "any_layout"),
                                  ("any_layout", "vectors")], ids="-".join)
def test_legacy_card_without_two_features(start, namespace, pair):
    assert_without(echoes(start, namespace, without(LEGACY_CARD, *pair)),
                   pair, LEGACY)


@pytest.mark.soak
@pytest.mark.parametrize("card", [MODERN_CARD, LEGACY_CARD])
def test_every_pair_of_features_off(start, namespace, card):
    known = FEATURES if card == MODERN_CARD else LEGACY
    for pair in itertools.combinations([*known, "vectors"], 2):
        assert_without(echoes(start, namespace, without(card, *pair)), pair,
                       known)
        serves(start, namespace, without(card, *pair))


# ---- where the card is, and what is behind it ----

@pytest.mark.parametrize("card", [MODERN_CARD, LEGACY_CARD])
def test_tap_without_the_virtio_header_has_no_offloads(start, namespace, card):
    features = echoes(start, namespace, card, more=",vnet_hdr=off")
    assert_without(features, ["csum", "guest_csum", "host_tso4", "guest_tso4"],
                   FEATURES)


def test_mtu_of_the_card_is_what_we_announce(start, namespace):
    server = start("echo", net=Card(namespace, MODERN_CARD + ",host_mtu=1400"))
    server.ready().wait_for(r"net0: .* MTU 1400,")
    link = namespace.connect(7, guests.PATIENCE_S)
    mss = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    assert mss <= 1400 - 40, mss
    stream.echo(link, MIB)


def test_registers_above_4_gib_are_reached(start, namespace):
    """A card that is so large pushes those of 64 bits out of the low hole."""
    huge = ["-device", "pci-testdev,membar=8G"]
    server = start("echo", net=Card(namespace, MODERN_CARD), memory=256,
                   machine="q35", extra=huge).ready()
    where = re.findall(r"BAR4: 64 bit prefetchable memory at 0x([0-9a-f]+)",
                       server.monitor("info pci"))
    assert any(int(base, 16) >= 1 << 32 for base in where), where
    stream.echo(namespace.connect(7, guests.PATIENCE_S), MIB)


def test_second_of_three_cards_serves(start, namespace):
    first = ["-netdev", "user,id=a,restrict=on", "-device",
             f"{MODERN_CARD},netdev=a,addr=0x10"]
    last = ["-netdev", "user,id=b,restrict=on", "-device",
            f"{LEGACY_CARD},netdev=b,addr=0x1a"]
    card = Card(namespace, TRANSITIONAL_CARD + ",addr=0x15")
    server = start("echo", "--net=1", net=card, extra=first + last).ready()
    server.wait_for(r"net2: .*\(legacy\)")
    stream.echo(namespace.connect(7, guests.PATIENCE_S), MIB)


@pytest.mark.parametrize("device", ["disable-modern=on", "disable-legacy=off",
                                    "disable-legacy=on"])
def test_entropy_device_of_every_kind_seeds(start, device):
    one = start("echo", rng=False,
                extra=["-device", f"virtio-rng-pci,{device}"]).ready()
    assert "NO SOURCE OF RANDOMNESS" not in one.console
    assert "no random bytes" not in one.console
