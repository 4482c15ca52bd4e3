/*
 * tests/conformance/test_segment_arrives.c - every state times every
 * combination of flags times every edge of the window.
 *
 * The stack is a black box here: a connection is brought into its state by
 * packets and user calls alone, one segment arrives, and the reply on the wire
 * and the state afterwards are compared with rules written from the text of
 * RFC 9293 3.10.7 (with RFC 5961 and RFC 1337), step by step, each row citing
 * its sentence. No private header of net/ is included,
 * and tests/host/states.c builds and reads packets with code of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/states.h"

#define S(state)   (1u << (S_##state))
#define S_SYN_RCVD (S(SYN_RCVD_PASSIVE) | S(SYN_RCVD_ACTIVE))
#define S_SYNCHRONIZED                                                         \
    (S_SYN_RCVD | S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2) |             \
     S(CLOSE_WAIT) | S(CLOSING) | S(LAST_ACK) | S(TIME_WAIT))

/* ---- the rules, from the text ---- */

/* Where SEG.SEQ lies. */
enum {
    Q_OLD = 1 << 0,    /* RCV.NXT - 1 */
    Q_NEXT = 1 << 1,   /* RCV.NXT */
    Q_INSIDE = 1 << 2, /* RCV.NXT + 1 */
    Q_LAST = 1 << 3,   /* RCV.NXT + RCV.WND - 1 */
    Q_EDGE = 1 << 4,   /* RCV.NXT + RCV.WND */
    Q_FAR = 1 << 5,    /* RCV.NXT + 2^31 */
    Q_IN = Q_NEXT | Q_INSIDE | Q_LAST,
    Q_OUT = Q_OLD | Q_EDGE | Q_FAR,
    Q_COUNT = 6
};

/* Where SEG.ACK lies. */
enum {
    A_ANCIENT = 1 << 0, /* SND.UNA - MAX.SND.WND - 1 */
    A_OLD = 1 << 1,     /* SND.UNA - 1 */
    A_UNA = 1 << 2,     /* SND.UNA */
    A_PART = 1 << 3,    /* SND.UNA + 1, when less than SND.NXT */
    A_NXT = 1 << 4,     /* SND.NXT, when more than SND.UNA */
    A_UNSENT = 1 << 5,  /* SND.NXT + 1 */
    A_FAR = 1 << 6,     /* SND.NXT + 2^31 */
    A_COUNT = 7
};

enum reply {
    R_NONE = 1 << 0,
    R_ACK = 1 << 1,     /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
    R_SYN_ACK = 1 << 2, /* <SEQ=ISS><ACK=SEG.SEQ+1 or RCV.NXT><CTL=SYN,ACK> */
    R_RST = 1 << 3,     /* <SEQ=SEG.ACK><CTL=RST> */
    R_RST_ACK = 1 << 4, /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
};

#define ANY   0xffu
#define SAME  (-1) /* the state does not change */
#define GO_ON (-2) /* the next step */

/* One sentence. The first row that fits decides; replies is a set where the
 * text leaves a choice. */
struct rule {
    unsigned states;
    uint8_t on, off; /* flags that must be set, must be clear */
    unsigned seq, ack;
    unsigned replies;
    int next; /* enum state, SAME, or GO_ON */
    const char *text;
};

/* clang-format off */
static const struct rule rules[] = {
/* 3.10.7.1: CLOSED */
{S(CLOSED), RST, 0, ANY, ANY, R_NONE, SAME,
 "an incoming segment containing a RST is discarded"},
{S(CLOSED), 0, ACK, ANY, ANY, R_RST_ACK, SAME, "if the ACK bit is off"},
{S(CLOSED), ACK, 0, ANY, ANY, R_RST, SAME, "if the ACK bit is on"},

/* 3.10.7.2: LISTEN */
{S(LISTEN), RST, 0, ANY, ANY, R_NONE, SAME, "first, check for a RST"},
{S(LISTEN), ACK, 0, ANY, ANY, R_RST, SAME, "second, check for an ACK"},
{S(LISTEN), SYN | FIN, 0, ANY, ANY, R_NONE, SAME,
 "departure: no honest peer sends SYN and FIN; dropped as Linux does"},
{S(LISTEN), SYN, 0, ANY, ANY, R_SYN_ACK, S_SYN_RCVD_PASSIVE,
 "third, check for a SYN"},
{S(LISTEN), 0, 0, ANY, ANY, R_NONE, SAME, "fourth, other data or control"},

/* 3.10.7.3: SYN-SENT. SND.UNA is ISS. */
{S(SYN_SENT), ACK | RST, 0, ANY, A_ANCIENT | A_OLD | A_UNA | A_UNSENT | A_FAR,
 R_NONE, SAME, "unless the RST bit is set: drop the segment and return"},
{S(SYN_SENT), ACK, 0, ANY, A_ANCIENT | A_OLD | A_UNA | A_UNSENT | A_FAR,
 R_RST, SAME, "SEG.ACK =< ISS or SEG.ACK > SND.NXT: send a reset"},
{S(SYN_SENT), RST | ACK, 0, ANY, ANY, R_NONE, S_CLOSED,
 "if the ACK was acceptable: connection reset"},
{S(SYN_SENT), RST, 0, ANY, ANY, R_NONE, SAME, "otherwise (no ACK), drop"},
{S(SYN_SENT), SYN | ACK, FIN, ANY, A_NXT, R_ACK, S_ESTABLISHED,
 "our SYN has been ACKed"},
{S(SYN_SENT), SYN, ACK | FIN, ANY, ANY, R_SYN_ACK, S_SYN_RCVD_ACTIVE,
 "otherwise, enter SYN-RECEIVED"},
{S(SYN_SENT), SYN | FIN, 0, ANY, ANY, R_NONE, SAME,
 "departure: SYN with FIN is dropped in every state that looks at SYN"},
{S(SYN_SENT), 0, SYN | RST, ANY, ANY, R_NONE, SAME,
 "fifth, if neither of the SYN or RST bits is set"},

/* 3.10.7.4 second, before first for RST: RFC 5961 3.2 looks at SEG.SEQ. */
{S(TIME_WAIT), RST, 0, ANY, ANY, R_NONE, SAME,
 "RFC 1337 3, fix 1: ignore RST in TIME-WAIT"},
{S_SYNCHRONIZED, RST, 0, Q_OUT, ANY, R_NONE, SAME,
 "RST outside the window: silently drop"},
{S(SYN_RCVD_PASSIVE), RST, 0, Q_NEXT, ANY, R_NONE, S_LISTEN,
 "passive OPEN: return this connection to the LISTEN state"},
{S_SYNCHRONIZED, RST, 0, Q_NEXT, ANY, R_NONE, S_CLOSED,
 "RST exactly at RCV.NXT: the connection is reset"},
{S_SYNCHRONIZED, RST, 0, Q_INSIDE | Q_LAST, ANY, R_ACK, SAME,
 "RST inside the window: challenge ACK"},

/* First: sequence. SYN and text reach back into the window from Q_OLD; the
 * rows below are for segments that the acceptability test refuses. */
#define REFUSED 0x40 /* a pseudo flag, set by the caller */
{S_SYN_RCVD, SYN | REFUSED, 0, Q_OLD, ANY, R_ACK | R_SYN_ACK, SAME,
 "not acceptable: ACK; a SYN that comes again may have SYN-ACK again"},
{S(TIME_WAIT), SYN | REFUSED, ACK | FIN, ANY, ANY, R_ACK, SAME,
 "an old duplicate SYN in TIME-WAIT"},
{S_SYNCHRONIZED, REFUSED, 0, ANY, ANY, R_ACK, SAME,
 "not acceptable: an acknowledgment should be sent in reply"},

/* Fourth: SYN. */
{S(SYN_RCVD_PASSIVE), SYN, 0, ANY, ANY, R_ACK | R_SYN_ACK, SAME,
 "departure: RFC 5961 4.2 here too; the text would return to LISTEN, which "
 "lets anybody end a half-open connection"},
{S_SYNCHRONIZED & ~S(TIME_WAIT), SYN, 0, ANY, ANY, R_ACK, SAME,
 "challenge ACK, irrespective of the sequence number (RFC 5961 4.2)"},
/* TIME-WAIT: MAY-2 is tested on its own; nobody listens here. */
{S(TIME_WAIT), SYN, 0, ANY, ANY, R_ACK, SAME, "challenge ACK"},

/* Fifth: ACK. */
{S_SYNCHRONIZED, 0, ACK, ANY, ANY, R_NONE, SAME, "if the ACK bit is off"},
{S_SYN_RCVD, ACK, 0, ANY, A_ANCIENT | A_OLD | A_UNA | A_UNSENT | A_FAR, R_RST,
 SAME, "SYN-RECEIVED: not SND.UNA < SEG.ACK =< SND.NXT: reset"},
{S_SYNCHRONIZED, ACK, 0, ANY, A_ANCIENT | A_UNSENT | A_FAR, R_ACK, SAME,
 "RFC 5961 5.2: discarded, and an ACK sent back"},
{S_SYNCHRONIZED, ACK, 0, ANY, ANY, 0, GO_ON, "acceptable"},
};
/* clang-format on */

struct verdict {
    unsigned replies;
    const char *state;
    uint32_t rcv_advance; /* sequence numbers taken */
    const char *text;
};

static uint32_t seg_len(const struct seg *seg)
{
    return seg->len + (seg->flags & SYN ? 1u : 0) + (seg->flags & FIN ? 1u : 0);
}

static bool in_window(const struct world *w, uint32_t seq)
{
    return seq - w->rcv_nxt < w->rcv_wnd;
}

/* Table 6 of 3.10.7.4: the acceptability test; the window is never zero. */
static bool acceptable(const struct world *w, const struct seg *seg)
{
    uint32_t len = seg_len(seg);

    return in_window(w, seg->seq) || (len && in_window(w, seg->seq + len - 1));
}

/* Fifth, for an acceptable ACK: the state that it leads to. */
static enum state after_ack(enum state state, unsigned ack)
{
    bool fin_acked = ack == A_NXT;

    switch (state) {
    case S_SYN_RCVD_PASSIVE:
    case S_SYN_RCVD_ACTIVE:
        return S_ESTABLISHED;
    case S_FIN_WAIT_1:
        return fin_acked ? S_FIN_WAIT_2 : state;
    case S_CLOSING:
        return fin_acked ? S_TIME_WAIT : state;
    case S_LAST_ACK:
        return fin_acked ? S_CLOSED : state;
    default:
        return state;
    }
}

/* Eighth, for a FIN in order. */
static enum state after_fin(enum state state)
{
    switch (state) {
    case S_ESTABLISHED:
        return S_CLOSE_WAIT;
    case S_FIN_WAIT_1:
        return S_CLOSING;
    case S_FIN_WAIT_2:
        return S_TIME_WAIT;
    default:
        return state;
    }
}

/* Seventh and eighth, once the ACK was acceptable. */
static struct verdict text_and_fin(const struct world *w, enum state state,
                                   const struct seg *seg)
{
    bool takes_text = state == S_ESTABLISHED || state == S_FIN_WAIT_1 ||
                      state == S_FIN_WAIT_2;
    uint32_t end = seg->seq + seg_len(seg);
    bool fin = seg->flags & FIN && in_window(w, end - 1);
    uint32_t right = w->rcv_nxt + w->rcv_wnd;

    if (!seg_len(seg) || state == S_CLOSED)
        return (struct verdict){R_NONE, state_name[state], 0, "nothing in it"};
    if (!takes_text)
        return (struct verdict){R_NONE | R_ACK, state_name[state], 0,
                                "text and FIN after FIN: ignored"};
    if ((int32_t)(seg->seq - w->rcv_nxt) > 0)
        return (struct verdict){R_ACK, state_name[state], 0,
                                "out of order: ACK at once (MAY-13)"};
    if (fin)
        state = after_fin(state);
    if ((int32_t)(end - right) > 0)
        end = right;
    return (struct verdict){R_ACK, state_name[state], end - w->rcv_nxt,
                            "text and FIN in order: taken, acknowledged"};
}

static struct verdict expected(const struct world *w, enum state state,
                               const struct seg *seg, unsigned seq,
                               unsigned ack)
{
    uint8_t flags = seg->flags & (FIN | SYN | RST | ACK);
    bool synchronized = S_SYNCHRONIZED >> state & 1;

    if (synchronized && !acceptable(w, seg))
        flags |= REFUSED;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        enum state next;

        if (!(r->states >> state & 1) || (flags & r->on) != r->on ||
            flags & r->off || !(r->seq & seq) || !(r->ack & ack))
            continue;
        if (r->next == GO_ON)
            break;
        next = r->next == SAME ? state : (enum state)r->next;
        if (state == S_SYN_SENT &&
            next == S_ESTABLISHED) /* its text is taken, as the text says */
            return (struct verdict){r->replies, state_name[next],
                                    seg->seq + 1 + seg->len - w->rcv_nxt,
                                    r->text};
        return (struct verdict){r->replies, state_name[next], 0, r->text};
    }
    return text_and_fin(w, after_ack(state, ack), seg);
}

/* ---- comparing ---- */

static bool reply_is(const struct world *w, const struct seg *in,
                     const struct verdict *v, enum reply kind)
{
    const struct seg *out = &w->out[0];
    uint8_t flags = out->flags & (FIN | SYN | RST | ACK);
    uint32_t rcv_nxt = w->rcv_nxt + v->rcv_advance;

    if (kind == R_NONE)
        return w->out_count == 0;
    if (w->out_count != 1 || out->src_port != w->our_port ||
        out->dst_port != PEER_PORT || out->len)
        return false;
    switch (kind) {
    case R_ACK:
        return flags == ACK && out->seq == w->nxt && out->ack == rcv_nxt;
    case R_SYN_ACK:
        return flags == (SYN | ACK) && (!w->nxt || out->seq == w->iss) &&
               (out->ack == in->seq + 1 || out->ack == w->rcv_nxt);
    case R_RST:
        return flags == RST && out->seq == in->ack;
    default:
        return flags == (RST | ACK) && out->seq == 0 &&
               out->ack == in->seq + seg_len(in);
    }
}

static bool reply_fits(const struct world *w, const struct seg *in,
                       const struct verdict *v)
{
    for (unsigned kind = 1; kind <= R_RST_ACK; kind <<= 1)
        if (v->replies & kind && reply_is(w, in, v, (enum reply)kind))
            return true;
    return false;
}

static int wrong; /* disagreements of this run */

static void tell(const struct world *w, enum state state, const struct seg *in,
                 const struct verdict *v, const char *now)
{
    if (wrong++ >= 40)
        return;
    print_error("%s%s flags %02x seq nxt%+d ack una%+d (nxt%+d) len %u: want "
                "replies %02x, %s, +%u (%s); got %u: flags %02x seq %x ack %x, "
                "%s; una %x nxt %x rcv_nxt %x\n",
                state_name[state],
                state == S_SYN_RCVD_ACTIVE ? " (active)" : "", in->flags,
                (int)(in->seq - w->rcv_nxt), (int)(in->ack - w->una),
                (int)(in->ack - w->nxt), in->len, v->replies, v->state,
                v->rcv_advance, v->text, w->out_count, w->out[0].flags,
                w->out[0].seq, w->out[0].ack, now, w->una, w->nxt, w->rcv_nxt);
}

static uint64_t start_us[S_COUNT];

static uint32_t seq_at(const struct world *w, unsigned seq)
{
    uint32_t wnd = w->rcv_wnd ? w->rcv_wnd : RCV_BUF;

    switch (seq) {
    case Q_OLD:
        return w->rcv_nxt - 1;
    case Q_NEXT:
        return w->rcv_nxt;
    case Q_INSIDE:
        return w->rcv_nxt + 1;
    case Q_LAST:
        return w->rcv_nxt + wnd - 1;
    case Q_EDGE:
        return w->rcv_nxt + wnd;
    default:
        return w->rcv_nxt + (1u << 31);
    }
}

/* False: there is no such place in this state. */
static bool ack_at(const struct world *w, unsigned ack, uint32_t *at)
{
    switch (ack) {
    case A_ANCIENT:
        *at = w->una - PEER_WINDOW - 1;
        return true;
    case A_OLD:
        *at = w->una - 1;
        return true;
    case A_UNA:
        *at = w->una;
        return true;
    case A_PART:
        *at = w->una + 1;
        return w->nxt - w->una > 1;
    case A_NXT:
        *at = w->nxt;
        return w->nxt != w->una;
    case A_UNSENT:
        *at = w->nxt + 1;
        return true;
    default:
        *at = w->nxt + (1u << 31);
        return true;
    }
}

static void one_case(enum state state, uint8_t flags, unsigned seq,
                     unsigned ack, uint16_t len)
{
    struct world w;
    struct seg seg = {.flags = flags, .len = len};

    world_make(&w, start_us[state]);
    world_go(&w, state);
    seg.seq = seq_at(&w, seq);
    if (ack_at(&w, ack, &seg.ack)) {
        struct verdict v = expected(&w, state, &seg, seq, ack);
        const char *now;

        world_arrive(&w, seg);
        now = world_state(&w, state);
        if (!reply_fits(&w, &seg, &v) || strcmp(now, v.state) != 0)
            tell(&w, state, &seg, &v, now);
    }
    world_end(&w);
}

/* Every cell of one state. */
static void S1__every_cell(void **context)
{
    enum state state = (enum state)(uintptr_t)*context;
    static const uint16_t lens[] = {0, 1, 3};

    wrong = 0;
    start_us[state] = states_start_us(state);
    for (unsigned flags = 0; flags < 64; flags++)
        for (unsigned q = 0; q < Q_COUNT; q++)
            for (unsigned a = 0; a < A_COUNT; a++)
                for (unsigned l = 0; l < 3; l++)
                    one_case(state, (uint8_t)flags, 1u << q, 1u << a, lens[l]);
    if (wrong)
        fail_msg("%d cells of %s disagree with the text", wrong,
                 state_name[state]);
}

#define CELLS(state)                                                           \
    {                                                                          \
        "S1__segment_arrives__" #state "__every_cell_as_the_text",             \
            S1__every_cell, NULL, NULL, (void *)(uintptr_t)S_##state           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CELLS(CLOSED),           CELLS(LISTEN),          CELLS(SYN_SENT),
        CELLS(SYN_RCVD_PASSIVE), CELLS(SYN_RCVD_ACTIVE), CELLS(ESTABLISHED),
        CELLS(FIN_WAIT_1),       CELLS(FIN_WAIT_2),      CELLS(CLOSE_WAIT),
        CELLS(CLOSING),          CELLS(LAST_ACK),        CELLS(TIME_WAIT),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
