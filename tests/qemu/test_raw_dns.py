"""A name server that is wrong: rows N of the project's list of bad inputs.

One guest, apps/names, looks up what it is asked by a datagram. The wrong
answer leads to WRONG, the right one, which follows, to RIGHT. A name of its
own for each row: the guest has a cache.
"""
import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

import guest as guests
import peer as peers
from peer import ADDRESS, WORD, ip

PORT = 5300
RIGHT, WRONG = "10.9.0.80", "10.9.0.66"
A, CNAME, OPT = 1, 5, 41
SELF = b"\xc0\x0c"  # the question's name


def address(text):
    return bytes(int(part) for part in text.split("."))


def record(owner=SELF, kind=A, data=address(WRONG), klass=1, length=None,
           ttl=60):
    return owner + struct.pack(
        "!HHIH", kind, klass, ttl,
        len(data) if length is None else length) + data


def alias(owner, to):
    return record(owner, CNAME, to)


class Question:
    def __init__(self, frame):
        self.port = frame[UDP].sport
        data = bytes(frame[UDP].payload)
        self.ident = struct.unpack_from("!H", data)[0]
        end = data.index(b"\0", 12) + 5
        self.section = data[12:end]

    def answer(self, *records, ident=0, flags=0x8180, section=None,
               counts=(), cut=None, more=b""):
        """The message; `ident` is what is wrong with the id."""
        header = struct.pack("!6H", self.ident ^ ident, flags,
                             *(counts or (1, len(records), 0, 0)))
        return (header + (self.section if section is None else section) +
                b"".join(records) + more)[:cut]


@pytest.fixture(scope="module")
def image():
    return guests.build("names")


class Server:
    def __init__(self, one):
        self.peer = peers.Peer(one.net)

    def say(self, question, message, sport=53, **fields):
        self.peer.send(ip(UDP(sport=sport, dport=question.port) /
                          Raw(message), **fields))

    def look_up(self, name, wrong):
        """What the guest says of a name whose first question is answered by
        `wrong(question)`: messages, or pairs of one and fields of its
        datagram. All questions are then answered well."""
        self.peer.send(ip(UDP(sport=4000, dport=PORT) / Raw(name.encode())))
        while True:
            frame = self.peer.receive(
                lambda frame: UDP in frame and
                (frame[UDP].dport == 53 or frame[UDP].sport == PORT) or
                TCP in frame and frame[TCP].dport == 53)
            if TCP in frame:  # refused: the next try is by UDP again
                syn = frame[TCP]
                self.peer.send(ip(TCP(sport=53, dport=syn.sport, flags="RA",
                                      ack=syn.seq + 1)))
                continue
            if frame[UDP].sport == PORT:
                length = frame[UDP].len - 8
                return bytes(frame[UDP].payload)[:length].decode()
            question = Question(frame)
            for one in wrong(question) if wrong else ():
                message, fields = one if isinstance(one, tuple) else (one, {})
                self.say(question, message, **fields)
            wrong = None
            self.say(question, question.answer(record(data=address(RIGHT))))


@pytest.fixture(scope="module")
def server(start_shared, image):
    one = start_shared(image, f"--dns-servers={ADDRESS}",
                       net=guests.WireNet()).ready()
    return Server(one)


LONG = b"\x3f" + b"a" * 63

# Each makes messages of a question.
BAD = {
    "N1-short": lambda q: [q.answer(record(), cut=cut) for cut in (0, 11)],
    "N2-id": lambda q: [q.answer(record(), ident=1)],
    "N3-port": lambda q: [(q.answer(record()), {"sport": 54})],
    "N3-server": lambda q: [(q.answer(record()), {"src": "10.9.0.3"})],
    "N4-question": lambda q: [q.answer(record(), flags=0x0100)],
    "N5-opcode": lambda q: [q.answer(record(), flags=0x9180)],
    "N6-no-question": lambda q: [q.answer(record(), counts=(0, 1, 0, 0))],
    "N6-two-questions": lambda q: [q.answer(record(), counts=(2, 1, 0, 0))],
    "N7-name": lambda q: [q.answer(
        record(), section=b"\3www\4evil\0\0\1\0\1")],
    "N7-type": lambda q: [q.answer(
        record(), section=q.section[:-4] + b"\0\x1c\0\1")],
    "N7-class": lambda q: [q.answer(
        record(), section=q.section[:-4] + b"\0\1\0\3")],
    "N7-case": lambda q: [q.answer(
        record(), section=q.section[:-4].swapcase() + q.section[-4:])],
    "N8-65535-answers": lambda q: [q.answer(
        record(), counts=(1, 65535, 0, 0))],
    **{f"N9-label-{length}": lambda q, length=length: [q.answer(
        record(owner=bytes([length]) + b"a" * length + b"\0"))]
       for length in (64, 127, 128, 191)},
    "N10-to-itself": lambda q: [q.answer(record(owner=struct.pack(
        "!H", 0xc000 + 12 + len(q.section))))],
    "N10-forward": lambda q: [q.answer(record(owner=struct.pack(
        "!H", 0xc000 + 40 + len(q.section))))],
    "N10-past-end": lambda q: [q.answer(record(owner=b"\xff\xff"))],
    "N10-into-header": lambda q: [q.answer(record(owner=b"\xc0\0"))],
    "N11-long-name": lambda q: [q.answer(record(owner=LONG * 4 + b"\0"))],
    "N12-no-root": lambda q: [q.answer(more=b"\3www", counts=(1, 1, 0, 0))],
    **{f"N13-data-of-{length}": lambda q, length=length: [q.answer(
        record(data=bytes([10] * length)))] for length in (0, 3, 5)},
    "N13-data-past-end": lambda q: [q.answer(record(length=400))],
    "N14-ring": lambda q: [q.answer(alias(SELF, b"\1x\0"),
                                    alias(b"\1x\0", SELF))],
    "N14-chain-of-20": lambda q: [q.answer(
        alias(SELF, b"\1A\0"), *(alias(bytes([1, 65 + at, 0]),
                                       bytes([1, 66 + at, 0]))
                                 for at in range(20)),
        record(owner=b"\1U\0"))],
    "N23-of-two-the-first": lambda q: [
        q.answer(record(data=address(RIGHT))), q.answer(record())],
    **{f"N18-code-{code}": lambda q, code=code: [q.answer(
        flags=0x8180 | code)] for code in (1, 4)},
    "N19-two-opts": lambda q: [q.answer(
        record(), record(b"\0", OPT, b"", 1232),
        record(b"\0", OPT, b"", 1232), counts=(1, 1, 0, 2))],
    "N19-opt-with-a-name": lambda q: [q.answer(
        record(), record(SELF, OPT, b"", 1232), counts=(1, 1, 0, 1))],
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_answer_is_not_believed(server, case):
    assert server.look_up(f"{case}.test", BAD[case]) == RIGHT


# Answers that are none, and what is then said.
NONE = {
    "N15-of-another": (lambda q: [q.answer(record(owner=b"\3www\0"))],
                       "the name has no address"),
    # One label with a dot, or a zero, in it is not the name that reads so.
    "N20-dot": (lambda q: [q.answer(record(owner=b"\x0cN20-dot.test\0"))],
                "the name has no address"),
    "N20-zero": (lambda q: [q.answer(record(owner=b"\x0eN20-zero\0.test\0"))],
                 "the name has no address"),
    **{f"N18-code-{code}": (lambda q, code=code: [q.answer(
        flags=0x8180 | code)], "the name servers cannot tell")
       for code in (2, 5)},
    # From then on by TCP alone, which nobody takes here: RFC 5452 9.3.
    "N25-flood-of-guesses": (lambda q: [q.answer(record(), ident=ident)
                                        for ident in range(1, 2000)],
                             "no name server answers"),
    "N18-no-such-name": (lambda q: [q.answer(flags=0x8183)], "no such name"),
    **{f"N21-{text}": (lambda q, text=text: [q.answer(
        record(data=address(text)))], "the name has no address")
       for text in ("0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1")},
}


@pytest.mark.parametrize("case", NONE)
def test_an_answer_that_is_none_is_said(server, case):
    wrong, said = NONE[case]
    assert server.look_up(f"{case}.test".replace("..", "."), wrong) == said


@pytest.mark.parametrize("name", ["a..b", ".", "a" * 64 + ".test",
                                  "a." * 130 + "test", "x y.test"])
def test_what_is_no_name_is_not_asked_for(server, name):
    """N27"""
    server.peer.seen.clear()
    assert server.look_up(name, None) == "not a host's name"
    assert not [frame for frame in server.peer.seen
                if UDP in frame and frame[UDP].dport == 53]


def is_question(frame):
    return UDP in frame and frame[UDP].dport == 53


@pytest.mark.parametrize("ttl, kept", [
    (0, False), (1 << 31, False), (WORD - 1, False), (60, True)])
def test_an_answer_is_kept_for_its_time(server, ttl, kept):
    """N16: RFC 2181 8, a time with the top bit set is none."""
    name, asked = f"N16-{ttl}.test", []
    for _ in range(2):
        server.peer.seen.clear()
        assert server.look_up(name, lambda q: [q.answer(record(
            data=address(RIGHT), ttl=ttl))]) == RIGHT
        asked.append(any(map(is_question, server.peer.seen)))
    assert asked == [True, not kept]


def look_up(server, name):
    server.peer.send(ip(UDP(sport=4000, dport=PORT) / Raw(name)))


def said(server):
    frame = server.peer.receive(
        lambda frame: UDP in frame and frame[UDP].sport == PORT)
    return bytes(frame[UDP].payload)[:frame[UDP].len - 8].decode()


def test_an_answer_to_a_question_that_has_timed_out_is_late(server):
    """N22: it was asked again by then, with another number and port."""
    look_up(server, b"N22-late.test")
    first, second = (Question(server.peer.receive(is_question))
                     for _ in range(2))
    assert (first.ident, first.port) != (second.ident, second.port)
    server.say(first, first.answer(record()))
    server.say(second, second.answer(record(data=address(RIGHT))))
    assert said(server) == RIGHT


def test_a_server_that_is_not_there_makes_room_for_the_next(start, image):
    """N26: by its ICMP error; the next one is behind the gateway."""
    other = "192.168.7.1"
    one = start(image, f"--dns-servers={ADDRESS},{other}",
                net=guests.WireNet()).ready()
    server = Server(one)
    look_up(server, b"N26-gone.test")
    asked = server.peer.receive(is_question)
    assert asked[IP].dst == ADDRESS
    server.peer.send(ip(ICMP(type=3, code=3) / Raw(bytes(asked[IP])[:28])))
    asked = server.peer.receive(is_question)
    assert asked[IP].dst == other
    question = Question(asked)
    server.say(question, question.answer(record(data=address(RIGHT))),
               src=other)
    assert said(server) == RIGHT
