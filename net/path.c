/*
 * net/path.c - the cache of path MTUs.
 */
#include "net/path.h"

#include <string.h>

#include "net/net_priv.h"
#include "net/siphash.h"

bool path_init(struct net *net)
{
    net->paths = (struct paths){
        .sets = pages_take(&net->pages),
        .key = {net_random64(net), net_random64(net)},
    };
    if (net->paths.sets)
        memset(net->paths.sets, 0, PAGE_BYTES);
    return net->paths.sets;
}

void path_destroy(struct net *net)
{
    if (net->paths.sets)
        pages_give(&net->pages, net->paths.sets);
}

static struct path *set_of(const struct net *net, struct ipv4_addr dst)
{
    uint64_t hash = siphash_1_3(net->paths.key, &dst, sizeof(dst));

    return net->paths.sets[hash % PATH_SETS];
}

static COLD uint16_t known_mtu(const struct net *net, struct ipv4_addr dst)
{
    const struct path *set = set_of(net, dst);

    for (unsigned i = 0; i < PATH_WAYS; i++)
        if (ipv4_addr_equal(set[i].dst, dst) && set[i].until_us > net->now_us)
            return set[i].mtu;
    return 0;
}

uint16_t path_mtu(const struct net *net, struct ipv4_addr dst)
{
    if (net->paths.until_us <= net->now_us)
        return 0; /* as nearly always: not worth a hash */
    return known_mtu(net, dst);
}

void path_learn(struct net *net, struct ipv4_addr dst, uint16_t mtu)
{
    struct path *set = set_of(net, dst), *place = set;

    for (unsigned i = 0; i < PATH_WAYS; i++) {
        if (set[i].mtu && ipv4_addr_equal(set[i].dst, dst)) {
            place = &set[i];
            break;
        }
        if (set[i].until_us < place->until_us)
            place = &set[i];
    }
    *place = (struct path){
        .dst = dst,
        .mtu = mtu,
        .until_us = net->now_us + net->config.path_mtu_age_us,
    };
    net->paths.until_us = place->until_us; /* the last learned is the last */
}
