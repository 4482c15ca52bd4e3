/*
 * tests/host/tcp_scene.c - where tests with a scripted peer begin and end.
 */
#include "tests/host/tcp_scene.h"

struct tcp_peer peer;

int peer_prepared(void **state)
{
    (void)state;
    peer_prepare(&peer);
    return 0;
}

int peer_started(void **state)
{
    peer_prepared(state);
    peer_start(&peer);
    return 0;
}

int peer_started_wide(void **state)
{
    peer_prepared(state);
    peer.mss = 1460;
    peer_start(&peer);
    return 0;
}

int peer_opened(void **state)
{
    peer_started(state);
    peer_open_passive(&peer);
    return 0;
}

int peer_opened_newreno(void **state)
{
    peer_prepared(state);
    peer.config.tcp.congestion = TCP_CONGESTION_NEWRENO;
    peer_start(&peer);
    peer_open_passive(&peer);
    return 0;
}

int peer_ended(void **state)
{
    (void)state;
    peer_end(&peer);
    return 0;
}

void peer_fly(uint32_t bytes)
{
    peer_open_active(&peer);
    peer_app_send(&peer, bytes);
    peer_take_all(&peer);
}
