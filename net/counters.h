/*
 * net/counters.h - one counter for every reason to drop, and the totals.
 *
 * The list is the only place: the enum, and the names that a status page
 * shows, are made from it.
 */
#ifndef NET_COUNTERS_H
#define NET_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define NET_COUNTERS(COUNTER) \
    COUNTER(eth_rx) COUNTER(eth_tx) COUNTER(eth_joined) \
    COUNTER(eth_short) COUNTER(eth_long) COUNTER(eth_not_ours) \
    COUNTER(eth_bad_source) COUNTER(eth_own_source) COUNTER(eth_type) \
    COUNTER(eth_no_room) COUNTER(eth_no_memory) \
    COUNTER(arp_rx) COUNTER(arp_tx) \
    COUNTER(arp_short) COUNTER(arp_format) COUNTER(arp_bad_sender) \
    COUNTER(arp_conflict) COUNTER(arp_unsolicited) COUNTER(arp_evicted) \
    COUNTER(arp_pending_full) COUNTER(arp_failed) COUNTER(arp_flap) \
    COUNTER(arp_limited) COUNTER(arp_no_memory) COUNTER(arp_no_address) \
    COUNTER(arp_off_link) \
    COUNTER(ip_rx) COUNTER(ip_tx) \
    COUNTER(ip_short) COUNTER(ip_version) COUNTER(ip_header_len) \
    COUNTER(ip_total_len) COUNTER(ip_checksum) COUNTER(ip_options) \
    COUNTER(ip_bad_source) COUNTER(ip_not_ours) COUNTER(ip_fragment) \
    COUNTER(ip_fragment_refused) COUNTER(ip_fragment_bad) \
    COUNTER(ip_fragment_conflict) COUNTER(ip_fragment_evicted) \
    COUNTER(ip_fragment_timeout) COUNTER(ip_reassembled) \
    COUNTER(ip_fragment_tx) \
    COUNTER(ip_protocol) COUNTER(ip_no_route) COUNTER(ip_too_big) \
    COUNTER(ip_no_memory) COUNTER(ip_loopback_full) \
    COUNTER(icmp_rx) COUNTER(icmp_tx) \
    COUNTER(icmp_short) COUNTER(icmp_checksum) COUNTER(icmp_broadcast) \
    COUNTER(icmp_type) COUNTER(icmp_unasked) COUNTER(icmp_embedded) \
    COUNTER(icmp_limited) \
    COUNTER(udp_rx) COUNTER(udp_tx) \
    COUNTER(udp_short) COUNTER(udp_length) COUNTER(udp_checksum) \
    COUNTER(udp_port) COUNTER(udp_no_listener) COUNTER(udp_full) \
    COUNTER(dhcp_tx) COUNTER(dhcp_ignored) COUNTER(dhcp_malformed) \
    COUNTER(dhcp_route_refused) \
    COUNTER(tcp_rx) COUNTER(tcp_tx) COUNTER(tcp_predicted) \
    COUNTER(tcp_short) COUNTER(tcp_header_len) COUNTER(tcp_checksum) \
    COUNTER(tcp_port) COUNTER(tcp_land) COUNTER(tcp_bad_address) \
    COUNTER(tcp_bad_flags) COUNTER(tcp_no_conn) COUNTER(tcp_rst_tx) \
    COUNTER(tcp_bad_option) COUNTER(tcp_out_of_window) COUNTER(tcp_no_ack) \
    COUNTER(tcp_paws) COUNTER(tcp_no_timestamp) \
    COUNTER(tcp_sack_invalid) COUNTER(tcp_reneged) \
    COUNTER(tcp_loss_probe) COUNTER(tcp_undone) \
    COUNTER(tcp_ack_too_old) COUNTER(tcp_ack_unsent) \
    COUNTER(tcp_challenge_ack) COUNTER(tcp_challenge_limited) \
    COUNTER(tcp_rst_inexact) COUNTER(tcp_syn_in_window) \
    COUNTER(tcp_urgent_stale) COUNTER(tcp_after_fin) COUNTER(tcp_duplicate) \
    COUNTER(tcp_out_of_order) COUNTER(tcp_ooo_full) \
    COUNTER(tcp_rcv_memory) COUNTER(tcp_no_memory) \
    COUNTER(tcp_retransmit) COUNTER(tcp_fast_retransmit) \
    COUNTER(tcp_timeout) COUNTER(tcp_zero_window_probe) \
    COUNTER(tcp_soft_error) COUNTER(tcp_icmp_stale) COUNTER(tcp_icmp_ignored) \
    COUNTER(tcp_keepalive_probe) COUNTER(tcp_gave_up) \
    COUNTER(tcp_connect) COUNTER(tcp_accept) COUNTER(tcp_backlog_full) \
    COUNTER(tcp_syn_full) COUNTER(tcp_cookie_sent) \
    COUNTER(tcp_cookie_taken) COUNTER(tcp_cookie_bad) \
    COUNTER(tcp_reset_rx) COUNTER(tcp_orphan_killed) \
    COUNTER(tcp_pressure_ooo) COUNTER(tcp_pressure_ended) \
    COUNTER(tcp_time_wait) COUNTER(tcp_time_wait_evicted) \
    COUNTER(tcp_time_wait_reused) COUNTER(tcp_time_wait_reset) \
    COUNTER(tcp_slow_start_left) \
    COUNTER(tcp_mtu_lowered) COUNTER(tcp_mtu_ignored) \
    COUNTER(tcp_mtu_black_hole) COUNTER(tcp_mtu_probe) \
    COUNTER(tcp_mtu_probe_lost) \
    COUNTER(tcp_ecn_marked) COUNTER(tcp_ecn_reduced)
/* clang-format on */

#define NET_COUNTER_ENUM(name) NET_COUNT_##name,
enum net_counter { NET_COUNTERS(NET_COUNTER_ENUM) NET_COUNTER_COUNT };
#undef NET_COUNTER_ENUM

struct net_counters {
    uint64_t value[NET_COUNTER_COUNT];
};

/* Count one `name`: net_count(counters, tcp_checksum). */
#define net_count(counters, name) ((void)(counters)->value[NET_COUNT_##name]++)

/* "tcp_checksum". Never null; `counter` must be below NET_COUNTER_COUNT. */
const char *net_counter_name(enum net_counter counter);

#endif
