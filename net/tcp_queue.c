/*
 * net/tcp_queue.c - chains of views with their lengths and costs.
 *
 * The cost of a view of foreign memory depends on its length, so that every
 * change of a view in a queue is accounted around.
 */
#include "net/tcp_queue.h"

#include <string.h>

uint32_t tcp_queue_cost(const struct buffer *chain)
{
    uint32_t cost = 0;

    for (const struct buffer *buf = chain; buf; buf = buf->next)
        cost += buffer_held_bytes(buf);
    return cost;
}

ASIDE struct tcp_measure tcp_chain_measure_many(struct buffer *chain)
{
    struct tcp_measure measure = {0};
    struct buffer *buf = chain;
    bool empty = false;

    for (; buf; buf = buf->next) {
        measure.tail = buf;
        measure.bytes += buf->len;
        measure.cost += buffer_held_bytes(buf);
        empty |= buf->len == 0;
    }
    if (empty)
        measure.tail = NULL;
    return measure;
}

static void account(struct tcp_queue *queue, struct tcp_budget *budget,
                    uint32_t before, uint32_t after)
{
    queue->held += after - before;
    budget->held_bytes += after;
    budget->held_bytes -= before;
}

struct buffer *tcp_queue_pop(struct tcp_queue *queue, struct tcp_budget *budget)
{
    struct buffer *buf = queue->head;

    queue->head = buf->next;
    if (!queue->head)
        queue->tail = NULL;
    buf->next = NULL;
    queue->bytes -= buf->len;
    account(queue, budget, buffer_held_bytes(buf), 0);
    return buf;
}

static INLINE void append(struct tcp_queue *queue, struct buffer *buf,
                          struct tcp_budget *budget)
{
    if (queue->tail)
        queue->tail->next = buf;
    else
        queue->head = buf;
    queue->tail = buf;
    queue->bytes += buf->len;
    account(queue, budget, 0, buffer_held_bytes(buf));
}

static COLD void push_many(struct tcp_queue *queue, struct buffer *chain,
                           struct tcp_budget *budget)
{
    struct buffer *next;

    for (struct buffer *buf = chain; buf; buf = next) {
        next = buf->next;
        buf->next = NULL;
        if (buf->len == 0)
            buffer_release(buf);
        else
            append(queue, buf, budget);
    }
}

void tcp_queue_push(struct tcp_queue *queue, struct buffer *chain,
                    struct tcp_budget *budget)
{
    if (chain && !chain->next && chain->len > 0)
        append(queue, chain, budget);
    else
        push_many(queue, chain, budget);
}

void tcp_queue_append(struct tcp_queue *queue, struct buffer *chain,
                      const struct tcp_measure *measure,
                      struct tcp_budget *budget)
{
    if (!measure->tail) {
        tcp_queue_push(queue, chain, budget);
        return;
    }
    if (queue->tail)
        queue->tail->next = chain;
    else
        queue->head = chain;
    queue->tail = measure->tail;
    queue->bytes += measure->bytes;
    account(queue, budget, 0, measure->cost);
}

bool tcp_queue_copy(struct tcp_queue *queue, struct buffer *chain,
                    uint32_t bytes)
{
    struct buffer *tail = queue->tail;

    if (!tail || buffer_tailroom(tail) < bytes)
        return false;
    buffer_copy_out(chain, 0, tail->data + tail->len, bytes);
    tail->len += bytes;
    queue->bytes += bytes;
    buffer_release(chain);
    return true;
}

void tcp_queue_drop(struct tcp_queue *queue, uint32_t bytes,
                    struct tcp_budget *budget)
{
    ASSERT(bytes <= queue->bytes);
    while (bytes > 0) {
        struct buffer *head = queue->head;
        uint32_t before;

        if (head->len <= bytes) {
            bytes -= head->len;
            buffer_release(tcp_queue_pop(queue, budget));
            continue;
        }
        before = buffer_held_bytes(head);
        buffer_pull(head, bytes);
        queue->bytes -= bytes;
        account(queue, budget, before, buffer_held_bytes(head));
        bytes = 0;
    }
}

COLD struct buffer *tcp_queue_take(struct tcp_queue *queue,
                                   struct buffer_pool *pool, uint32_t bytes,
                                   struct tcp_budget *budget)
{
    struct buffer *chain = NULL, **end = &chain, *rest = NULL;
    const struct buffer *last = queue->head;
    uint32_t whole = 0;

    ASSERT(bytes > 0 && bytes <= queue->bytes);
    for (; last && whole + last->len <= bytes; last = last->next)
        whole += last->len;
    if (whole < bytes) { /* split before anything is taken: it may fail */
        rest = buffer_slice(pool, (struct buffer *)(uintptr_t)last, 0,
                            bytes - whole);
        if (!rest)
            return NULL;
    }
    while (whole > 0) {
        *end = tcp_queue_pop(queue, budget);
        whole -= (*end)->len;
        end = &(*end)->next;
    }
    *end = rest;
    if (rest)
        tcp_queue_drop(queue, rest->len, budget);
    return chain;
}

void tcp_queue_join(struct tcp_queue *to, struct tcp_queue *from)
{
    if (!from->head)
        return;
    if (to->tail)
        to->tail->next = from->head;
    else
        to->head = from->head;
    to->tail = from->tail;
    to->bytes += from->bytes;
    to->held += from->held;
    *from = (struct tcp_queue){0};
}

COLD void tcp_queue_pack(struct tcp_queue *to, struct tcp_queue *from,
                         struct buffer_pool *pool, struct tcp_budget *budget)
{
    while (from->held > 2 * from->bytes) {
        struct buffer *view = tcp_queue_pop(from, budget);

        if (tcp_is_wasteful(view->len, buffer_held_bytes(view))) {
            if (tcp_queue_copy(to, view, view->len))
                continue;
            if (buffer_tailroom(view) == 0)
                view = tcp_chain_own(view, pool, view->len);
        }
        tcp_queue_push(to, view, budget);
    }
    tcp_queue_join(to, from);
}

void tcp_queue_clear(struct tcp_queue *queue, struct tcp_budget *budget)
{
    budget->held_bytes -= queue->held;
    buffer_release(queue->head);
    *queue = (struct tcp_queue){0};
}

struct buffer *tcp_chain_own(struct buffer *text, struct buffer_pool *pool,
                             uint32_t bytes)
{
    struct buffer *copy = buffer_alloc(pool, BUFFER_LARGE, 0);

    if (!copy)
        return text;
    copy->len = buffer_copy_out(text, 0, copy->data, bytes);
    buffer_release(text);
    return copy;
}

COLD struct buffer *tcp_chain_drop(struct buffer *chain, uint32_t bytes)
{
    while (chain && chain->len <= bytes) {
        struct buffer *next = chain->next;

        bytes -= chain->len;
        chain->next = NULL;
        buffer_release(chain);
        chain = next;
    }
    if (chain)
        buffer_pull(chain, bytes);
    return chain;
}

COLD void tcp_chain_keep(struct buffer *chain, uint32_t bytes)
{
    while (bytes > chain->len) {
        bytes -= chain->len;
        chain = chain->next;
    }
    buffer_trim(chain, chain->len - bytes);
    buffer_release(chain->next);
    chain->next = NULL;
}
