"""echo: every byte comes back, whatever the client does with its end."""
import concurrent.futures
import socket

import pytest

import guest as guests
import netns
import stream

MIB = 1 << 20


@pytest.fixture(scope="module")
def server(start_shared):
    return start_shared("echo", net=guests.UserNet(7)).ready()


def dial(server):
    return socket.create_connection(("127.0.0.1", server.port(7)),
                                    guests.PATIENCE_S)


def check(server):
    stream.echo(dial(server), 10000)


def test_a_byte_comes_back(server):
    stream.echo(dial(server), 1)


def test_nothing_comes_back_from_nothing(server):
    stream.echo(dial(server), 0)


def test_4_mib_come_back_as_they_were(server):
    stream.echo(dial(server), 4 * MIB)


def test_after_our_end_of_stream_the_rest_still_comes(server):
    """Half-close before the first read."""
    link = dial(server)
    stream.send(link, 20000)
    stream.receive(link, 20000)
    link.close()


def test_a_client_that_reads_only_when_blocked_gets_everything(server):
    """Both windows are shut before the first byte is read."""
    link = dial(server)
    link.settimeout(2)
    sent = 0
    try:
        while True:
            sent += link.send(stream.piece(sent, stream.CHUNK))
    except TimeoutError:
        pass
    check(server)
    link.settimeout(guests.PATIENCE_S)
    link.shutdown(socket.SHUT_WR)
    stream.receive(link, sent)
    link.close()


def test_a_reset_ends_only_its_own_flow(server):
    other = dial(server)
    for size in (0, 1, 1000, 300000):
        link = dial(server)
        link.settimeout(2)
        try:
            link.sendall(b"x" * size)
        except TimeoutError:
            pass
        stream.reset(link)
    stream.echo(other, 100000)


def dial_through(server):
    """A connection that has reached the guest: one byte came back. QEMU's user
    network listens with a backlog of one, and of those beyond it Linux forgets
    some when QEMU is slow to accept."""
    link = dial(server)
    link.sendall(b"?")
    assert link.recv(1) == b"?"
    return link


def test_many_streams_at_once_do_not_mix(server):
    links = [dial_through(server) for _ in range(40)]
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda link: stream.echo(link, 100000), links))


def test_another_port_is_refused(start):
    """Shown on a wire that does not hide RST: see test_raw_tcp.py. Here, that
    the user network's client is told."""
    one = start("echo", net=guests.UserNet(8)).ready()
    with socket.create_connection(("127.0.0.1", one.port(8)),
                                  guests.PATIENCE_S) as link:
        try:
            assert link.recv(1) == b""
        except ConnectionResetError:
            pass


def over_tap(start, namespace, total):
    start("echo", net=guests.TapNet(namespace, netns.TAP)).ready()
    stream.echo(namespace.connect(7, guests.PATIENCE_S), total)


def test_linux_gets_16_mib_back_over_tap(start, namespace):
    over_tap(start, namespace, 16 * MIB)


def echo_datagrams(namespace, sizes):
    """Each size once, its bytes its own."""
    with namespace.call(lambda: socket.socket(socket.AF_INET,
                                              socket.SOCK_DGRAM)) as link:
        link.settimeout(guests.PATIENCE_S)
        link.connect((netns.GUEST_ADDRESS, 7))
        for size in sizes:
            sent = stream.piece(size, size)
            link.send(sent)
            assert link.recv(1 << 16) == sent, size


def test_datagrams_of_every_size_come_back_over_tap(start, namespace):
    start("echo", net=guests.TapNet(namespace, netns.TAP)).ready()
    echo_datagrams(namespace, [*range(0, 1473), *range(1473, 65507, 1499),
                               65507])


@pytest.mark.soak
def test_linux_gets_1_gib_back_over_tap(start, namespace):
    over_tap(start, namespace, 1024 * MIB)
