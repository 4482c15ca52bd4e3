/*
 * net/tcp_view.c - every connection there is, for somebody who looks.
 */
#include "net/tcp_conn.h"

/* The connections of a page of buckets. Returns: how many were shown. */
static uint32_t
show_page(void **buckets, uint32_t max,
          void (*fn)(void *context, const struct tcp_conn *conn), void *context)
{
    uint32_t shown = 0;

    for (unsigned i = 0; i < TCP_BUCKETS_PER_PAGE; i++)
        for (const struct tcp_conn *conn = buckets[i]; conn && shown < max;
             conn = conn->hash_next, shown++)
            fn(context, conn);
    return shown;
}

void tcp_for_each(const struct net *net, uint32_t max,
                  void (*fn)(void *context, const struct tcp_conn *conn),
                  void *context)
{
    void ***pages = net->tcp.by_tuple.pages;

    for (unsigned i = 0; i < TCP_BUCKETS_PER_PAGE && max > 0; i++)
        if (pages[i])
            max -= show_page(pages[i], max, fn, context);
}
