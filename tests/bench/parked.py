#!/usr/bin/python3
"""Many keep-alive connections, each used once and then left alone.

    parked.py ADDRESS PORT COUNT SOURCE...

Prints `COUNT held` when all have had an answer; ends with its input. One
process for each source address holds its share of them: a file each, and a
port of that address.
"""
import os
import resource
import socket
import sys

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"
AT_ONCE = 64  # less than a backlog holds
PATIENCE_S = 120
DONE, FAILED = b".", b"!"
IP_BIND_ADDRESS_NO_PORT = 24  # Linux's; one port serves several sources


def call(source, there):
    link = socket.socket()
    link.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    link.bind((source, 0))
    link.setblocking(False)
    link.connect_ex(there)
    link.settimeout(PATIENCE_S)
    return link


def hold(source, there, count):
    """The connections, each of which has had its answer."""
    held = []
    for at in range(0, count, AT_ONCE):
        links = [call(source, there) for _ in range(min(AT_ONCE, count - at))]
        for link in links:
            link.sendall(REQUEST)  # waits for the handshake
        for link in links:
            assert link.recv(4096).endswith(b"ok\n")
        held += links
    return held


def child(work, tell, end):
    """Do `work`, say so, and keep what it returned until `end` is closed."""
    try:
        kept = work()
        os.write(tell, DONE)
        os.read(end, 1)
        del kept
    except BaseException:
        os.write(tell, FAILED)
        raise
    sys.exit(0)


def main(there, count, sources):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    told, tell = os.pipe()
    end, hold_on = os.pipe()
    for number, source in enumerate(sources):
        share = (count + number) // len(sources)
        if os.fork() == 0:
            os.close(hold_on)
            child(lambda: hold(source, there, share), tell, end)
    for _ in sources:
        if os.read(told, 1) != DONE:
            sys.exit("a connection failed")
    print(f"{count} held", flush=True)
    sys.stdin.read()
    os.close(hold_on)
    for _ in sources:
        os.wait()


if __name__ == "__main__":
    main((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), sys.argv[4:])
