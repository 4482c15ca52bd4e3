"""What a card tells besides frames: its link, and that it was moved."""
import struct

import guest as guests
import web

ARP = 0x0806
OUR_ADDRESS = bytes([10, 9, 0, 2])
CARD = "virtio-net-pci,disable-legacy=on,id=card"


def serve(start, net):
    return start("http_hello", net=net).ready()


def announcement(wire):
    """Wait for a gratuitous ARP of the guest's: RFC 5227 3, both addresses
    its own."""
    while True:
        frame = wire.receive(guests.PATIENCE_S)
        assert frame is not None
        if struct.unpack_from("!H", frame, 12)[0] == ARP and \
                frame[28:32] == OUR_ADDRESS and frame[38:42] == OUR_ADDRESS:
            return


def quiet(wire):
    while wire.receive(0.3) is not None:
        pass


def test_application_hears_of_a_link_that_was_never_up(start):
    one = start("http_hello", net=guests.UserNet(80, device=CARD),
                extra=["-S"])
    one.qmp("set_link", name="card", up=False)
    one.qmp("cont")
    one.wait_for(r"the link is down")
    one.qmp("set_link", name="card", up=True)
    one.wait_for(r"the link is up")


def test_application_hears_of_the_link(start):
    one = serve(start, guests.UserNet(80, device=CARD))
    one.qmp("set_link", name="card", up=False)
    one.wait_for(r"the link is down")
    one.qmp("set_link", name="card", up=True)
    one.wait_for(r"the link is up")
    with web.browse(one.port(80)) as browser:
        assert browser.get("/").status == 200


def test_connection_outlives_the_link(start):
    one = serve(start, guests.UserNet(80, device=CARD))
    with web.browse(one.port(80)) as browser:
        assert browser.get("/").status == 200
        one.qmp("set_link", name="card", up=False)
        one.wait_for(r"the link is down")
        browser.send(b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n")
        one.qmp("set_link", name="card", up=True)
        assert browser.answer().status == 200


def test_link_that_is_back_is_announced(start):
    wire = guests.WireNet(device=CARD)
    one = serve(start, wire)
    announcement(wire)
    quiet(wire)
    one.qmp("set_link", name="card", up=False)
    one.wait_for(r"the link is down")
    one.qmp("set_link", name="card", up=True)
    announcement(wire)


def test_machine_that_was_moved_announces_itself(start):
    """QEMU asks for it through GUEST_ANNOUNCE; the acknowledgement lets it
    ask again."""
    wire = guests.WireNet(device=CARD)
    one = serve(start, wire)
    announcement(wire)
    for _ in range(3):
        quiet(wire)
        one.qmp("announce-self", initial=50, max=50, rounds=1, step=10)
        announcement(wire)


def test_without_a_card_it_says_what_is_missing_and_is_ready(start):
    one = start("http_hello", net=guests.NoNet()).ready()
    assert "-device virtio-net-pci" in one.console


def test_without_a_card_nobody_waits_for_an_address(start):
    one = start(guests.build("crash"), "online", net=guests.NoNet())
    assert one.wait_exit() == 0
    assert "online 0" in one.console
