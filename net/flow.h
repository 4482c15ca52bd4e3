/*
 * net/flow.h - TCP as an application sees it: the flow API of MirageOS in C.
 *
 * A flow is one TCP connection. A call that has to wait blocks the calling
 * green thread and lets the others run; it ends at the latest with the flow's
 * deadline, with the connection, or when the thread is cancelled. FLOW_EOF and
 * FLOW_ERROR of a read are sticky: asked again, they are answered again.
 * For threads only, never for interrupt handlers.
 *
 * A flow that a listener hands to its callback belongs to the callback: it is
 * closed and released when the callback returns, unless it was parked. A flow
 * from tcpv4_create_connection() belongs to the caller until flow_release().
 *
 * Source: MirageOS V1.TCPV4 and V1.FLOW (mirage-types 2.8).
 */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/tcp.h"

struct flow;  /* opaque */
struct tcpv4; /* opaque: one TCP instance */
struct ipv4;  /* opaque: the IPv4 layer that it is built on */

enum flow_status {
    FLOW_OK,
    FLOW_EOF,      /* read: the peer has closed; write: we have */
    FLOW_ERROR,    /* the connection is over: flow_error() says why */
    FLOW_DEADLINE, /* the deadline passed; the flow can be used on */
    FLOW_CANCELLED /* thread_cancel(); the flow can be used on */
};

enum flow_error_kind {
    FLOW_ERROR_NONE,
    FLOW_ERROR_UNKNOWN, /* the reason says more */
    FLOW_ERROR_TIMEOUT, /* no valid response: connecting, or later */
    FLOW_ERROR_REFUSED  /* actively refused, by RST */
};

enum flow_reason {
    FLOW_REASON_NONE,
    FLOW_REASON_RESET,       /* connection reset by peer */
    FLOW_REASON_ABORTED,     /* flow_abort() here */
    FLOW_REASON_UNREACHABLE, /* host unreachable */
    FLOW_REASON_NO_ROUTE,    /* no route to host */
    FLOW_REASON_BAD_ADDRESS, /* not an address to connect to */
    FLOW_REASON_NO_PORT,     /* no free local port */
    FLOW_REASON_NO_MEMORY,
    FLOW_REASON_RELEASED,  /* flow_release() while others waited */
    FLOW_REASON_CANCELLED, /* thread_cancel() while connecting */
    FLOW_REASON_ADDRESS,   /* our address has changed */
    FLOW_REASON_COUNT
};

struct flow_error {
    enum flow_error_kind kind;
    enum flow_reason reason; /* for FLOW_ERROR_UNKNOWN */
};

/* A message for a person, for every value there is. Never null. */
const char *flow_error_message(struct flow_error error);

/* Why the flow is over; FLOW_ERROR_NONE while it is not, or ended normally. */
struct flow_error flow_error(const struct flow *flow);

/* ---- opening ---- */

/*
 * Connect to addr:port.
 *
 * deadline_us: on clock_us(), or FOREVER: the SYN time-out then ends it (3
 *              minutes by default).
 * flow:        set on FLOW_OK; the caller's until flow_release(). Null
 *              otherwise.
 * error:       set on FLOW_ERROR: refused, timeout, or unknown with a reason.
 * Blocks:      until the connection is open or cannot be.
 * Returns:     FLOW_OK, FLOW_ERROR, FLOW_DEADLINE, FLOW_CANCELLED.
 * Source:      V1.TCPV4 create_connection; RFC 9293 3.10.1.
 */
MUST_CHECK enum flow_status
tcpv4_create_connection(struct tcpv4 *tcp, struct ipv4_addr addr, uint16_t port,
                        uint64_t deadline_us, struct flow **flow,
                        struct flow_error *error);

/* Runs for each connection that has opened, on a thread that nobody else has
 * meanwhile; when it returns, the same thread may serve another. */
typedef void flow_callback(struct flow *flow, void *context);

struct flow_listener {
    flow_callback *callback; /* null: RST; of tcpv4_listeners' answers alone */
    void *context;
    uint32_t threads_max; /* callbacks that run at a time; 0: 256 */
    uint32_t backlog;     /* open flows that wait for one; 0: 1024 */
    size_t stack_bytes;   /* of a callback's thread; 0: THREAD_STACK_BYTES */
};

/*
 * Accept connections to `port` on any address.
 *
 * port:     not 0.
 * listener: copied; its callback is not null.
 * Blocks:   never.
 * Returns:  false when the port is 0 or taken, or there is no memory.
 */
MUST_CHECK bool tcpv4_listen(struct tcpv4 *tcp, uint16_t port,
                             const struct flow_listener *listener);

/* Stop accepting on `port`; flows that run go on. */
void tcpv4_unlisten(struct tcpv4 *tcp, uint16_t port);

/*
 * What the IP layer calls with every TCP packet.
 * buffer: one packet's TCP segment, taken.
 */
typedef void ipinput_fn(void *context, struct ipv4_addr src,
                        struct ipv4_addr dst, struct buffer *buffer);
struct ipinput {
    ipinput_fn *fn;
    void *context;
};

/*
 * Who listens on `port`; asked when a SYN comes for which no tcpv4_listen()
 * was called. A null callback in the answer means nobody.
 */
typedef struct flow_listener tcpv4_listeners(void *context, uint16_t port);

/*
 * The input function of an instance, with the mapping from ports to
 * callbacks.
 *
 * listeners: may be null: only tcpv4_listen() counts.
 * Returns:   what the IP layer has to call for every segment.
 * Source:    V1.TCPV4 input.
 */
struct ipinput tcpv4_input(struct tcpv4 *tcp, tcpv4_listeners *listeners,
                           void *context);

/*
 * Close every flow of the instance, and stop listening. It stays so: later
 * connections from here are refused as aborted. Handles stay their owners'.
 *
 * bound_us: on clock_us(); what is not closed by then is reset.
 * Blocks:   until all flows are gone, at the latest until bound_us. Never
 *           fails; every waiter of every flow is woken.
 */
void tcpv4_disconnect(struct tcpv4 *tcp, uint64_t bound_us);

/* ---- reading ----
 * Several threads may read one flow: each byte goes to one of them, in order.
 */

/*
 * The next bytes of the stream, without copying.
 *
 * buffer:  set on FLOW_OK to one view of at least one byte, which the caller
 *          releases; to null otherwise.
 * Blocks:  until data, end of stream, the end of the connection, or the read
 *          deadline. Data that came before FIN or RST is delivered first.
 * Returns: every flow_status.
 * Source:  V1.FLOW read; RFC 9293 3.10.3.
 */
MUST_CHECK enum flow_status flow_read(struct flow *flow,
                                      struct buffer **buffer);

/*
 * The same, into plain memory.
 *
 * out, bytes:     room for at least one byte.
 * received_bytes: set to 1..bytes on FLOW_OK, to 0 otherwise.
 */
MUST_CHECK enum flow_status flow_receive(struct flow *flow, void *out,
                                         size_t bytes, size_t *received_bytes);

/* ---- writing ----
 * Several threads may write to one flow: the bytes of one call stay together,
 * a second writer waits until the first has queued all of its own.
 */

/*
 * Append one view to the stream, without copying.
 *
 * buffer:  taken, whatever the result. Its bytes must not change until it is
 *          released: when they are acknowledged and the device has returned
 *          them.
 * Blocks:  until the send queue has accepted it, at the latest until the write
 *          deadline.
 * Returns: FLOW_OK; FLOW_EOF after flow_close(), or when the connection ended
 *          normally; FLOW_ERROR; FLOW_DEADLINE and FLOW_CANCELLED: a first part
 *          may have been queued, flow_written() tells how much.
 * Source:  V1.FLOW write; RFC 9293 3.10.2.
 */
MUST_CHECK enum flow_status flow_write(struct flow *flow,
                                       struct buffer *buffer);

/* The same for a chain through `next`: one gather. */
MUST_CHECK enum flow_status flow_writev(struct flow *flow,
                                        struct buffer *chain);

/* As flow_write(), and waits until the peer has acknowledged every byte;
 * Nagle's algorithm does not hold these bytes back. */
MUST_CHECK enum flow_status flow_write_nodelay(struct flow *flow,
                                               struct buffer *buffer);
MUST_CHECK enum flow_status flow_writev_nodelay(struct flow *flow,
                                                struct buffer *chain);

/* As flow_write(), and the bytes are urgent to the peer: RFC 9293 3.8.5. They
 * stay in their place in the stream; for old protocols only. */
MUST_CHECK enum flow_status flow_write_urgent(struct flow *flow,
                                              struct buffer *buffer);

/*
 * Append plain memory; its bytes are copied before the call returns.
 *
 * sent_bytes: how many were queued; set in every case; may be null.
 */
MUST_CHECK enum flow_status flow_send(struct flow *flow, const void *data,
                                      size_t bytes, size_t *sent_bytes);

/* Bytes of the last write on this flow that were queued. */
size_t flow_written(const struct flow *flow);

/* A pool to allocate and wrap buffers from, for flow_write(). */
struct buffer_pool *flow_pool(const struct flow *flow);

/* ---- closing ---- */

/*
 * Close our direction; reading goes on as long as the peer sends. Idempotent.
 * Blocks: until pending writes and FIN are on the wire, the connection ends,
 *         or the write deadline passes (FIN then follows by itself).
 * Source: V1.FLOW close.
 */
void flow_close(struct flow *flow);

/*
 * Wait until the peer has closed too.
 * Returns: FLOW_OK, FLOW_ERROR (sticky), FLOW_DEADLINE, FLOW_CANCELLED.
 */
MUST_CHECK enum flow_status flow_wait_closed(struct flow *flow,
                                             uint64_t deadline_us);

/* End it at once, with RST. Every waiter is woken. */
void flow_abort(struct flow *flow);

/*
 * Give up the handle; closes if nobody did. Unread data makes it a RST
 * (RFC 9293 SHLD-3). Others that wait on it are woken with FLOW_ERROR
 * "released", and the function of a parked one runs; flow_error() may be asked
 * until they block again, then the handle is gone. What the function of a
 * parked flow gets is valid until that returns.
 */
void flow_release(struct flow *flow);

/* ---- parking ---- */

enum flow_park_event {
    FLOW_PARK_READABLE, /* data, end of stream or error: read tells which */
    FLOW_PARK_DEADLINE
};
typedef void flow_park_fn(struct flow *flow, void *context,
                          enum flow_park_event event);

/*
 * Hand the flow back until the peer speaks: it then owns no thread.
 *
 * fn:      runs on a thread, as a callback does, when the flow becomes
 *          readable (at once, if it is), ends, or `deadline_us` passes; the
 *          flow then belongs to it as to a callback. Read and write deadlines
 *          are FOREVER again.
 * Blocks:  never. After it, the caller must not touch the flow.
 */
void flow_park(struct flow *flow, flow_park_fn *fn, void *context,
               uint64_t deadline_us);

/* ---- asking and setting ---- */

/* The remote, or the local, end; valid after close and after reset too. */
void flow_get_dest(const struct flow *flow, struct ipv4_addr *addr,
                   uint16_t *port);
void flow_get_source(const struct flow *flow, struct ipv4_addr *addr,
                     uint16_t *port);

/* The time of the last call that read from a flow or wrote to one, or of the
 * frames that came after it: what clock_us() said then, without asking it. */
uint64_t flow_now_us(const struct flow *flow);

/* When reads, and writes, end with FLOW_DEADLINE: on clock_us(); FOREVER at
 * first. A call that waits already keeps the deadline with which it began. */
void flow_set_read_deadline(struct flow *flow, uint64_t deadline_us);
void flow_set_write_deadline(struct flow *flow, uint64_t deadline_us);

/* Nagle's algorithm off (true) or on (false, the default). */
void flow_set_nodelay(struct flow *flow, bool on);

/* Hold back what does not fill a segment (true), for 200 ms at most once all
 * before it has arrived; let it go (false). */
void flow_set_cork(struct flow *flow, bool on);
void flow_set_keepalive(struct flow *flow, bool on);
void flow_set_user_timeout(struct flow *flow, uint64_t timeout_us);

/*
 * Set, or ask for, one of the numbers in net/tcp_option.h.
 * Blocks:  never.
 * Returns: every tcp_set_status. flow_get: 0 once the flow is released.
 */
MUST_CHECK enum tcp_set_status flow_set(struct flow *flow,
                                        enum tcp_option which, uint64_t value);
uint64_t flow_get(const struct flow *flow, enum tcp_option which);

/* The same for all that comes of tcpv4_listen() on `port`; TCP_SET_LATE:
 * nobody listens there. */
MUST_CHECK enum tcp_set_status tcpv4_listener_set(struct tcpv4 *tcp,
                                                  uint16_t port,
                                                  enum tcp_option which,
                                                  uint64_t value);

/* The same for every flow and listener of which nothing was set, and for all
 * to come: TCP_SET_OK, TCP_SET_RANGE. */
MUST_CHECK enum tcp_set_status tcpv4_set(struct tcpv4 *tcp,
                                         enum tcp_option which, uint64_t value);

/* ---- news beside the data ---- */

enum flow_news {
    FLOW_NEWS_URGENT = 1 << 0,    /* more bytes are urgent */
    FLOW_NEWS_SOFT_ERROR = 1 << 1 /* no answer, or an ICMP error */
};

/*
 * Wait for news, on a thread that has nothing else to do. Nobody is disturbed
 * by news who does not call this.
 *
 * news:    set on FLOW_OK to a set of enum flow_news, to 0 otherwise.
 * Blocks:  until there is some, the connection ends, or deadline_us.
 * Returns: FLOW_OK; FLOW_EOF after a normal end; FLOW_ERROR; FLOW_DEADLINE;
 *          FLOW_CANCELLED.
 * Source:  RFC 9293 MUST-32, MUST-47, SHLD-9, SHLD-20, SHLD-25.
 */
MUST_CHECK enum flow_status
flow_wait_news(struct flow *flow, uint64_t deadline_us, unsigned *news);

/* How many of the next bytes to read the peer has called urgent; MUST-33. */
uint32_t flow_urgent_bytes(const struct flow *flow);

/* The latest soft error that was not yet taken. */
enum tcp_soft_error flow_take_soft_error(struct flow *flow);

/* State, round-trip time, congestion window, bytes, retransmissions, end. */
void flow_info(const struct flow *flow, struct tcp_info *info);

struct tcpv4_stats {
    uint32_t flows;     /* handles in use */
    uint32_t parked;    /* of these, parked */
    uint32_t lingering; /* connections whose callback is over, and not they */
    uint32_t threads;   /* callbacks that run */
    size_t pages;       /* that the handles stand on */
};
void tcpv4_stats_get(const struct tcpv4 *tcp, struct tcpv4_stats *stats);

#endif
