#!/usr/bin/python3
"""Many keep-alive connections, each used once and then left alone.

    parked.py ADDRESS PORT COUNT

Prints `COUNT held` when all have had an answer; ends with its input. All
come from one address, and are files of one program: 19,000 are near the limit.
"""
import resource
import socket
import sys

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"


def main(address, port, count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    links = []
    for _ in range(count):
        link = socket.create_connection((address, port), 120)
        link.sendall(REQUEST)
        assert link.recv(4096).endswith(b"ok\n")
        links.append(link)
    print(f"{count} held", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
