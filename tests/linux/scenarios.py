"""What a peer does to both stacks, packet by packet; see differential.py.

A scenario is a function of a Script. Its name says what it tries. The stack
listens on port 80; nobody does on 81.
"""
import struct

MSS = b"\2\4" + struct.pack("!H", 1000)
SACK_OK = b"\4\2"
NOP = b"\1"
WS = b"\3\3\7"
TS = b"\x08\x0a" + struct.pack("!II", 1000, 0)
DAY = 86_400_000  # of a timestamp clock of 1 ms


def opened(script, options=MSS):
    """A connection that the application has accepted."""
    if b"\x08\x0a" in options:
        script.tsval = 1000
    script.send("S", options=options)
    script.nxt += 1
    script.send("A")
    script.do("accept")


def opened_with_everything(script):
    opened(script, MSS + SACK_OK + TS + NOP + WS)


# ---- opening -----------------------------------------------------------------

def syn_plain(script):
    script.send("S")


def syn_mss(script):
    script.send("S", options=MSS)


def syn_all_options(script):
    script.send("S", options=MSS + SACK_OK + TS + NOP + WS)


def syn_sack_only(script):
    script.send("S", options=MSS + SACK_OK)


def syn_ts_only(script):
    script.send("S", options=MSS + NOP + NOP + TS)


def syn_ws_only(script):
    script.send("S", options=MSS + NOP + WS)


def syn_again(script):
    script.send("S", options=MSS)
    script.send("S", options=MSS)


def syn_with_another_number_in_syn_received(script):
    script.send("S", options=MSS)
    script.send("S", options=MSS, seq=script.nxt + 5000)


def syn_fin(script):
    script.send("SF", options=MSS)


def syn_rst(script):
    script.send("SR", options=MSS)


def syn_with_text(script):
    script.send("S", options=MSS, data=b"hello")


def syn_urg(script):
    script.send("SU", options=MSS, urgent=1)


def syn_bad_checksum(script):
    script.send("S", options=MSS, bad_checksum=True)


def syn_to_a_closed_port(script):
    script.their_port = 81
    script.send("S")


def ack_to_a_closed_port(script):
    script.their_port = 81
    script.send("A", ack=5000)


def rst_to_a_closed_port(script):
    script.their_port = 81
    script.send("R")


def fin_to_a_closed_port(script):
    script.their_port = 81
    script.send("F", data=b"abc")


def ack_to_a_listener(script):
    script.send("A", ack=5000)


def nothing_to_a_listener(script):
    script.send("")
    script.send("F")
    script.send("U", urgent=3)
    script.send("R")


def wrong_ack_in_syn_received(script):
    script.send("S", options=MSS)
    script.nxt += 1
    script.send("A", ack=script.their_nxt + 1)
    script.send("A", ack=script.their_nxt - 1)
    script.send("A")
    script.do("accept")


def rst_in_syn_received(script):
    script.send("S", options=MSS)
    script.nxt += 1
    script.send("R", seq=script.nxt + 100)
    script.send("R")
    script.send("A")


def text_with_the_last_ack(script):
    script.send("S", options=MSS)
    script.nxt += 1
    script.text(10)
    script.do("accept")
    script.do("read")


def fin_with_the_last_ack(script):
    script.send("S", options=MSS)
    script.nxt += 1
    script.send("FA")
    script.do("accept")
    script.do("read")


# ---- text --------------------------------------------------------------------

def text_in_order(script):
    opened(script)
    script.text(100)
    script.do("read")


def text_twice(script):
    opened(script)
    script.text(100)
    script.nxt -= 100
    script.text(100)
    script.do("read")


def text_overlapping(script):
    opened(script)
    script.text(100)
    script.nxt -= 50
    script.text(100)
    script.do("read")


def hole_and_filling(script):
    opened(script)
    script.nxt += 100
    script.text(100)
    script.nxt -= 200
    script.text(100)
    script.do("read")


def hole_with_sack(script):
    opened_with_everything(script)
    script.nxt += 100
    script.text(100)
    script.nxt += 100
    script.text(100)
    script.nxt += 100
    script.text(100)
    script.nxt -= 500 + 100
    script.text(100)
    script.do("read")


def duplicate_with_sack(script):
    opened_with_everything(script)
    script.text(100)
    script.nxt -= 100
    script.text(100)
    script.nxt += 100
    script.text(100)
    script.nxt -= 100
    script.text(100)


def text_outside_the_window(script):
    opened(script)
    script.send("PA", seq=script.nxt + 0x20000000, data=b"abc")
    script.send("PA", seq=script.nxt - 500, data=b"abc")
    script.do("read")


def text_without_ack(script):
    opened(script)
    script.send("P", data=b"abc")
    script.do("read")


def old_and_unsent_acks(script):
    opened(script)
    script.send("A", ack=script.their_nxt + 1000)
    script.send("A", ack=script.their_nxt - 1000000)
    script.send("A", ack=script.their_nxt - 1)
    script.send("PA", ack=script.their_nxt + 1000, data=b"abc")
    script.do("read")


def urgent_text(script):
    opened(script)
    script.send("PAU", data=b"abc", urgent=3)
    script.nxt += 3


def bad_checksum_of_text(script):
    opened(script)
    script.send("PA", data=b"abc", bad_checksum=True)
    script.do("read")


def bad_header_length(script):
    opened(script)
    script.send("PA", data=b"abc", offset_words=4)
    script.send("PA", data=b"abc", offset_words=15)
    script.do("read")


def malformed_options(script):
    opened(script)
    for options in (b"\x08\0", b"\x08\1", b"\x05\x28", b"\2\3\0", b"\xfd\x04"):
        script.send("PA", data=b"abc", options=options)
        script.nxt += 3
    script.do("read")


def keepalive_probe(script):
    opened(script)
    script.send("A", seq=script.nxt - 1)
    script.send("A", seq=script.nxt - 1, data=b"\0")


# ---- timestamps ----------------------------------------------------------------

def old_timestamp(script):
    opened_with_everything(script)
    script.tsval += 100
    script.text(100)
    script.tsval -= 50
    script.send("PA", data=b"abc")
    script.send("A")
    script.do("read")


def missing_timestamp(script):
    opened_with_everything(script)
    script.send("PA", data=b"abc", ts=False)
    script.do("read")


def rst_with_an_old_timestamp(script):
    opened_with_everything(script)
    script.tsval -= 500
    script.send("R")
    script.do("read")


# ---- the other end closes --------------------------------------------------------

def fin_then_close(script):
    opened(script)
    script.send("FA")
    script.nxt += 1
    script.do("read")
    script.do("close")
    script.send("A")


def fin_twice(script):
    opened(script)
    script.send("FA")
    script.send("FA")


def fin_behind_a_hole(script):
    opened(script)
    script.nxt += 10
    script.send("FA")
    script.nxt -= 10
    script.text(10)
    script.do("read")


def text_after_fin(script):
    opened(script)
    script.send("FA")
    script.nxt += 1
    script.send("PA", data=b"abc")
    script.do("read")


def half_closed_we_write_on(script):
    opened(script)
    script.send("FA")
    script.nxt += 1
    script.do("write", 100)
    script.send("A")
    script.do("shutdown")
    script.send("A")


# ---- the application closes --------------------------------------------------

def close_then_fin(script):
    opened(script)
    script.do("shutdown")
    script.send("A")
    script.send("FA")
    script.nxt += 1
    script.send("FA", seq=script.nxt - 1)


def close_at_once_both(script):
    opened(script)
    script.do("shutdown")
    script.send("FA", ack=script.their_nxt - 1)
    script.nxt += 1
    script.send("A")


def text_after_shutdown(script):
    opened(script)
    script.do("shutdown")
    script.send("A")
    script.text(10)
    script.do("read")


def text_after_close(script):
    opened(script)
    script.do("close")
    script.send("A")
    script.text(10)


def close_with_unread_text(script):
    opened(script)
    script.text(10)
    script.do("close")


def abort(script):
    opened(script)
    script.do("abort")
    script.text(10)


def time_wait_and_a_syn(script):
    opened(script)
    script.do("shutdown")
    script.send("A")
    script.send("FA")
    script.nxt += 1
    script.send("R")
    script.send("FA", seq=script.nxt - 1)
    script.send("S", seq=script.nxt - 10000, options=MSS)
    script.iss = None
    script.send("S", seq=script.nxt + 100000, options=MSS)


# ---- attacks -----------------------------------------------------------------

def rst_exact(script):
    opened(script)
    script.send("R")
    script.do("read")
    script.send("A")


def rst_in_the_window(script):
    opened(script)
    script.send("R", seq=script.nxt + 100)
    script.send("R", seq=script.nxt - 1)
    script.do("read")


def syn_in_the_window(script):
    opened(script)
    script.send("S", seq=script.nxt, options=MSS)
    script.send("S", seq=script.nxt + 100, options=MSS)
    script.send("S", seq=script.nxt - 100, options=MSS)
    script.send("SA", seq=script.nxt, options=MSS)
    script.do("read")


# ---- we connect ----------------------------------------------------------------

def connecting(script):
    script.do("connect", script.port)
    assert script.iss is not None


def connect_and_answer(script):
    connecting(script)
    script.send("SA", options=MSS)
    script.nxt += 1
    script.do("write", 10)


def connect_refused(script):
    connecting(script)
    script.send("RA", seq=0)
    script.do("read")


def connect_rst_without_ack(script):
    connecting(script)
    script.send("R", seq=0)
    script.send("RA", seq=0, ack=script.their_nxt + 1)
    script.send("SA", options=MSS)


def connect_wrong_ack(script):
    connecting(script)
    script.send("SA", options=MSS, ack=script.their_nxt + 1)
    script.send("A", ack=script.their_nxt - 1)
    script.send("A")
    script.send("SA", options=MSS)


def connect_both_at_once(script):
    connecting(script)
    script.send("S", options=MSS)
    script.nxt += 1
    script.send("A")
    script.do("write", 10)


def connect_fin_or_text_instead(script):
    connecting(script)
    script.send("FA")
    script.send("PA", data=b"abc")
    script.send("")
    script.send("SA", options=MSS)


# ---- windows ---------------------------------------------------------------------

def writes_into_a_small_window(script):
    opened(script)
    script.send("A", window=500)
    script.do("write", 300)
    script.do("write", 900)


def window_opens_again(script):
    opened(script)
    script.send("A", window=0)
    script.do("write", 100)
    script.send("A", window=60000)


ALL = [value for name, value in list(globals().items())
       if callable(value) and not name.startswith("_") and
       name not in ("opened", "opened_with_everything", "connecting")]
