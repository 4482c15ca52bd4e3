#!/usr/bin/python3
"""May a port of 127.0.0.1 be used, for TCP and for UDP?

    scripts/free_port.py PORT

Status 0: it may; otherwise says why not, and which one may.
"""
import socket
import sys

TRIES = 100


def problem(port):
    """Why the port cannot be used; None: it can."""
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        with socket.socket(type=kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                return error.strerror
    return None


def another(port):
    """A port that can be used, a near one if there is."""
    for near in range(max(port + 1, 1024), min(port + TRIES, 65536)):
        if not problem(near):
            return near
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    port = int(sys.argv[1])
    why = problem(port)
    if why:
        print(f"port {port} of 127.0.0.1 cannot be used ({why}): "
              f"choose another, such as PORT={another(port)}")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
