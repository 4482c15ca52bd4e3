"""An address from the network: QEMU's own, and dnsmasq in a namespace."""
import os
import re

import pytest

import guest as guests
import netns
import server as servers
import web


@pytest.fixture
def network():
    """A namespace of the test's alone: it changes the addresses in it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a network namespace with a TAP device")
    one = netns.Namespace()
    yield one
    one.remove()


@pytest.fixture
def dnsmasq(network):
    """dnsmasq(first, last, options...): a server, ended with the test."""
    started = []

    def start(*words, **settings):
        started.append(servers.Dnsmasq(network, *words, **settings))
        return started[-1]

    yield start
    for one in started:
        one.end()


def boot(start, network):
    return start("http_hello", net=guests.TapNet(network, netns.TAP),
                 net_args=False)


def address(one, number=0):
    """The number-th address that the console tells, from 0."""
    found = [match for match in (
        re.search(r"net0: address ([\d.]+)/(\d+) \((.*)\)$", line)
        for line in list(one.lines)) if match]
    return found[number].groups() if len(found) > number else None


def wait_address(one, wanted):
    return one.wait_for(rf"net0: address {wanted} \(DHCP server")


def serves(network, host):
    with web.Browser(network.call(lambda: web.socket.create_connection(
            (host, 80), guests.PATIENCE_S))) as browser:
        answer = browser.get("/status", more="Connection: close\r\n")
        assert answer.status == 200
        return answer.body.decode()


def test_qemus_own_network_gives_an_address_without_any_key(start):
    one = start("http_hello", net=guests.UserNet(80), net_args=False)
    one.wait_for(r"net0: address 10\.0\.2\.15/24 \(DHCP server 10\.0\.2\.2\)")
    one.wait_for(r"net0: gateway 10\.0\.2\.2 \(DHCP server 10\.0\.2\.2\)")
    one.wait_for(r"name server 10\.0\.2\.3 \(DHCP server 10\.0\.2\.2\)")
    with web.browse(one.port(80)) as browser:
        assert browser.get("/").status == 200


def test_routes_of_the_command_line_stay_where_dhcp_gives_the_address(start):
    one = start("http_hello", "--ipv4=dhcp,192.168.9.4/24 --ipv4-routes="
                "172.16.0.0/12:10.0.2.9,172.20.0.0/16:192.168.9.1",
                net=guests.UserNet(80), net_args=False,
                extra=["-netdev", "user,id=net1,net=192.168.9.0/24",
                       "-device", "virtio-net-pci,netdev=net1"])
    one.wait_for(r"route 172\.16\.0\.0/12 by 10\.0\.2\.9 \(command line\)")
    one.wait_for(r"net0: address 10\.0\.2\.15/24 \(DHCP server 10\.0\.2\.2\)")
    with web.browse(one.port(80)) as browser:
        status = browser.get("/status").body.decode()
    assert re.search(r"^172\.16\.0\.0/12 +10\.0\.2\.9 +net0 +static$", status,
                     re.M)
    assert re.search(r"^172\.20\.0\.0/16 +192\.168\.9\.1 +net1 +static$",
                     status, re.M)


def test_a_route_through_ourselves_is_refused(start):
    one = start("http_hello", "--ipv4=10.0.2.15/24 --ipv4-routes="
                "172.16.0.0/12:10.0.2.15", net_args=False)
    assert one.wait_exit() == 64
    assert "--ipv4-routes has a gateway that is our own" in one.console


def test_two_cards_have_an_address_each(start):
    one = start("http_hello", "--ipv4=dhcp,192.168.9.4/24",
                net=guests.UserNet(80), net_args=False,
                extra=["-netdev", "user,id=net1,net=192.168.9.0/24",
                       "-device", "virtio-net-pci,netdev=net1"])
    one.wait_for(r"net0: address 10\.0\.2\.15/24 \(DHCP server 10\.0\.2\.2\)")
    one.wait_for(r"net1: address 192\.168\.9\.4/24 \(command line\)")
    with web.browse(one.port(80)) as browser:
        status = browser.get("/status").body.decode()
    assert re.search(r"^192\.168\.9\.0/24 +- +net1 +network$", status, re.M)


def test_more_addresses_than_cards_are_refused(start):
    one = start("http_hello", "--ipv4=dhcp,dhcp", net=guests.UserNet(),
                net_args=False)
    assert one.wait_exit() == 64
    assert "--ipv4 has 2 network cards, and there are 1" in one.console


def test_a_card_that_is_not_there_is_refused(start):
    one = start("http_hello", "--net=1")
    assert one.wait_exit() == 64
    assert "--net=1: of network cards there are 1, from 0 on" in one.console


def test_gateways_off_the_network_are_used_and_warned_of(start):
    one = start("http_hello", "--ipv4=10.0.2.15/24 --ipv4-gateway=10.0.3.2 "
                "--ipv4-routes=10.6.0.0/16:10.0.2.9,10.5.0.0/16:10.7.0.1",
                net=guests.UserNet(80), net_args=False).ready()
    for gateway in ("10.0.3.2", "10.7.0.1"):
        one.wait_for(f"warning net: net0: gateway {gateway} is not on its "
                     "network")
    assert "gateway 10.0.2.9 is not" not in one.console
    with web.browse(one.port(80)) as browser:
        status = browser.get("/status").body.decode()
    assert re.search(r"^10\.5\.0\.0/16 +10\.7\.0\.1 +net0 +static$", status,
                     re.M)


def test_the_gateway_of_a_network_of_one_address_is_off_it(start):
    one = start("http_hello", "--ipv4=10.0.2.15/32 --ipv4-gateway=10.0.2.2",
                net=guests.UserNet(80), net_args=False).ready()
    with web.browse(one.port(80)) as browser:
        assert browser.get("/healthz").status == 200
    assert "is not on its network" not in one.console


def test_a_lease_is_used_and_every_setting_tells_its_origin(
        start, network, dnsmasq):
    dnsmasq("10.8.0.50", "10.8.0.60", "--dhcp-option=option:mtu,1400",
            "--dhcp-option=option:ntp-server,10.8.0.7",
            "--dhcp-option=option:dns-server,10.8.0.8,10.8.0.9",
            "--domain=runnel.test").wait_for("started")
    one = start("http_hello", "--name=web1",
                net=guests.TapNet(network, netns.TAP), net_args=False)
    wait_address(one, r"10\.8\.0\.5\d/24")
    one.wait_for(r"domain runnel\.test \(DHCP server 10\.8\.0\.1\)")
    text = one.console
    for setting in ("gateway 10.8.0.1", "time server 10.8.0.7", "MTU 1400",
                    "name server 10.8.0.8", "name server 10.8.0.9"):
        assert f"{setting} (DHCP server 10.8.0.1)" in text, setting
    assert "name web1 (command line)" in text
    status = serves(network, address(one)[0])
    assert "DHCP BOUND, lease of 10.8.0.1" in status
    assert "MTU 1400" in status


def test_the_boot_goes_on_without_a_server_and_one_that_comes_is_heard(
        start, network, dnsmasq):
    one = boot(start, network)
    one.wait_for("http_hello listens on port 80 and waits for an address")
    assert address(one) is None and "runnel: ready" not in one.console
    dnsmasq("10.8.0.50", "10.8.0.60")
    wait_address(one, r"10\.8\.0\.5\d/24")
    one.wait_for(r"http_hello listens on 10\.8\.0\.5\d:80")
    one.ready()
    serves(network, address(one)[0])


def test_a_short_lease_is_renewed(start, network, dnsmasq):
    server = dnsmasq("10.8.0.50", "10.8.0.60", "--dhcp-option=option:T1,3",
                     "--dhcp-option=option:T2,100")
    one = boot(start, network)
    wait_address(one, r"10\.8\.0\.5\d/24")
    server.wait_for("DHCPACK", times=4)
    assert address(one, 1) is None, "and nothing has changed by that"
    serves(network, address(one)[0])


def test_another_server_extends_the_lease_when_its_own_is_dead(
        start, network, dnsmasq):
    first = dnsmasq("10.8.0.50", "10.8.0.50", "--dhcp-option=option:T1,3",
                    "--dhcp-option=option:T2,8")
    one = boot(start, network)
    wait_address(one, r"10\.8\.0\.50/24")
    first.end()
    network.ip("address", "del", "10.8.0.1/24", "dev", netns.TAP)
    network.ip("address", "add", "10.8.0.9/24", "dev", netns.TAP)
    second = dnsmasq("10.8.0.50", "10.8.0.50")
    second.wait_for("DHCPACK")
    status = serves(network, "10.8.0.50")
    assert "DHCP BOUND, lease of 10.8.0.9" in status


def test_a_refusal_leads_to_another_address(start, network, dnsmasq):
    first = dnsmasq("10.8.0.50", "10.8.0.50", "--dhcp-option=option:T1,3",
                    "--dhcp-option=option:T2,100")
    one = boot(start, network)
    wait_address(one, r"10\.8\.0\.50/24")
    first.end()
    second = dnsmasq("10.8.0.70", "10.8.0.70")
    second.wait_for("DHCPNAK")
    one.wait_for("net0: no address any more")
    wait_address(one, r"10\.8\.0\.70/24")
    serves(network, "10.8.0.70")


def test_a_cloud_that_hands_out_32_and_a_gateway_outside(
        start, network, dnsmasq):
    """Option 121: the gateway on the link, and the way to all else by it."""
    network.ip("address", "add", "10.9.9.1/32", "dev", netns.TAP)
    dnsmasq("10.8.0.50", "10.8.0.50", "--dhcp-option=1,255.255.255.255",
            "--dhcp-option=121,10.9.9.1/32,0.0.0.0,0.0.0.0/0,10.9.9.1")
    one = boot(start, network)
    wait_address(one, r"10\.8\.0\.50/32")
    one.wait_for(r"gateway 10\.9\.9\.1 \(DHCP server 10\.8\.0\.1\)")
    status = serves(network, "10.8.0.50")
    assert re.search(r"^10\.9\.9\.1/32 +- +net0 +static$", status, re.M)
