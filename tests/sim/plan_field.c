/*
 * tests/sim/plan_field.c - every choice by name, and what is neutral in it.
 */
#include "tests/sim/plan_field.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct member {
    const char *name;
    uint16_t offset;
    uint8_t bytes;
};

#define MEMBER(type, member)                                                   \
    {                                                                          \
#member, offsetof(struct type, member),                                \
            sizeof(((struct type *)0)->member)                                 \
    }
#define LINK(member)    MEMBER(link_quality, member)
#define BOX(member)     MEMBER(middlebox_plan, member)
#define HOST(member)    MEMBER(plan_host, member)
#define SESSION(member) MEMBER(session_plan, member)

static const struct member link_members[] = {
    LINK(delay_us),       LINK(jitter_us),       LINK(loss_ppm),
    LINK(burst_loss_ppm), LINK(burst_begin_ppm), LINK(burst_end_ppm),
    LINK(duplicate_ppm),  LINK(reorder_ppm),     LINK(reorder_us),
    LINK(corrupt_ppm),    LINK(forge_ppm),       LINK(bytes_per_s),
    LINK(queue_bytes),    LINK(mark_bytes),      LINK(mtu_bytes),
    LINK(mtu_silent),
};

static const struct member box_members[] = {
    BOX(strip_syn), BOX(strip_sack),  BOX(rewrite),
    BOX(thin),      BOX(split_bytes), BOX(join_us),
};

static const struct member host_members[] = {
    HOST(caps),
    HOST(tx_max),
    HOST(doze_us),
    HOST(sleep_us),
    HOST(sleep_at),
    HOST(fail_at),
    HOST(starve_us),
    HOST(starve_at),
    HOST(config.pages_max),
    HOST(config.flow_pages_max),
    HOST(config.tcp.rcv_buf_bytes),
    HOST(config.tcp.snd_buf_bytes),
    HOST(config.tcp.window_scaling),
    HOST(config.tcp.timestamps),
    HOST(config.tcp.sack),
    HOST(config.tcp.congestion),
    HOST(config.tcp.ecn),
    HOST(config.tcp.rcv_buf_begin_bytes),
    HOST(config.tcp.delayed_ack_us),
    HOST(config.tcp.mss_bytes),
    HOST(config.tcp.ooo_pieces_max),
};

static const struct member session_members[] = {
    SESSION(open_us),       SESSION(bytes[0]),    SESSION(bytes[1]),
    SESSION(piece[0]),      SESSION(piece[1]),    SESSION(read[0]),
    SESSION(read[1]),       SESSION(pause_us[0]), SESSION(pause_us[1]),
    SESSION(pause_at[0]),   SESSION(pause_at[1]), SESSION(close_last[0]),
    SESSION(close_last[1]), SESSION(drain[0]),    SESSION(drain[1]),
    SESSION(ping_pong),     SESSION(nodelay),     SESSION(quit),
    SESSION(quit_at),
};

enum {
    LINKS = ARRAY_LEN(link_members),
    BOXES = ARRAY_LEN(box_members),
    HOSTS = ARRAY_LEN(host_members),
    SESSIONS = ARRAY_LEN(session_members),
    OF_A_HOST = HOSTS + 2 * LINKS,
};

uint64_t plan_field_get(const struct plan_field *field)
{
    uint64_t value = 0; /* little-endian, as all that runs this */

    memcpy(&value, field->at, field->bytes);
    return value;
}

void plan_field_set(const struct plan_field *field, uint64_t value)
{
    memcpy(field->at, &value, field->bytes);
}

/* One member of a part of the plan; `neutral` is such a part at its best. */
static void fill(struct plan_field *field, void *part, const void *neutral,
                 const struct member *member, const char *of, unsigned which)
{
    struct plan_field best = {
        .at = (char *)(uintptr_t)neutral + member->offset,
        .bytes = member->bytes,
    };

    snprintf(field->name, sizeof(field->name), of, which, member->name);
    field->at = (char *)part + member->offset;
    field->bytes = member->bytes;
    field->neutral = plan_field_get(&best);
}

static void host_field(struct plan_host *host, unsigned i, unsigned number,
                       struct plan_field *field)
{
    const struct link_quality perfect = {0};
    struct plan_host neutral = {.config = net_config_default(), .tx_max = 256};

    if (number < HOSTS)
        fill(field, host, &neutral, &host_members[number], "host %u %s", i);
    else if (number < HOSTS + LINKS)
        fill(field, &host->up, &perfect, &link_members[number - HOSTS],
             "host %u up %s", i);
    else
        fill(field, &host->down, &perfect,
             &link_members[number - HOSTS - LINKS], "host %u down %s", i);
}

static void session_field(struct session_plan *session, unsigned i,
                          unsigned number, struct plan_field *field)
{
    const struct session_plan neutral = {.piece = {1448, 1448},
                                         .read = {65536, 65536}};

    fill(field, session, &neutral, &session_members[number], "session %u %s",
         i);
}

bool plan_field(struct plan *plan, unsigned number, struct plan_field *field)
{
    const struct link_quality perfect = {0};
    const struct middlebox_plan none = {0};
    const struct plan calm = {0};
    static const struct member cut = MEMBER(plan, cut_us);

    if (number == 0) {
        fill(field, plan, &calm, &cut, "%.0u%s", 0);
        return true;
    }
    number--;
    if (number < 2 * LINKS) {
        fill(field, &plan->trunk[number / LINKS], &perfect,
             &link_members[number % LINKS], "trunk %u %s", number / LINKS);
        return true;
    }
    number -= 2 * LINKS;
    if (number < BOXES) {
        fill(field, &plan->box, &none, &box_members[number], "box %.0u%s", 0);
        return true;
    }
    number -= BOXES;
    if (number < plan->hosts * OF_A_HOST) {
        host_field(&plan->host[number / OF_A_HOST], number / OF_A_HOST,
                   number % OF_A_HOST, field);
        return true;
    }
    number -= plan->hosts * OF_A_HOST;
    if (number >= plan->sessions * SESSIONS)
        return false;
    session_field(&plan->session[number / SESSIONS], number / SESSIONS,
                  number % SESSIONS, field);
    return true;
}

void plan_print(const struct plan *plan)
{
    struct plan copy = *plan;
    struct plan_field field;

    printf("seed %llu: %u hosts, %u sessions\n", (unsigned long long)plan->seed,
           plan->hosts, plan->sessions);
    for (unsigned i = 0; i < plan->sessions; i++)
        printf("  session %u from host %u to host %u\n", i,
               plan->session[i].host[0], plan->session[i].host[1]);
    for (unsigned i = 0; plan_field(&copy, i, &field); i++)
        if (plan_field_get(&field) != field.neutral)
            printf("  %s = %llu\n", field.name,
                   (unsigned long long)plan_field_get(&field));
}
