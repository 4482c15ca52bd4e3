/*
 * drivers/virtio_net_ctrl.c - virtio-net: what the device and we tell each
 * other besides frames.
 *
 * The state of the link, and the wish to be announced to the network (the
 * machine was moved to another host), are changes of the configuration. The
 * wish is fulfilled by the stack, and then acknowledged by a command on the
 * control queue. One command is out at a time, and nobody waits for it: a
 * device that never answers only gets no further one.
 * Source: virtio 1.2 5.1.4.2, 5.1.6.5, 5.1.6.5.4.
 */
#include "drivers/virtio_net_parts.h"
#include "kernel/clock.h"
#include "kernel/log.h"

enum {
    CTRL_RING = 8,
    ANSWER_US = 1000000, /* what an answer may take */
    ANSWER_NONE = 0xff
};

/* --- the queue ------------------------------------------------------------ */

/* Make its ring. Without one the device gets no commands. */
void virtio_net_ctrl_make(struct virtio_net *nic)
{
    unsigned size;

    if (!virtio_net_has(nic, VIRTIO_NET_F_CTRL_VQ))
        return;
    if (virtio_queue_size(nic->virtio, VIRTIO_NET_CTRL, CTRL_RING, &size) !=
            VIRTIO_OK ||
        size < 2 ||
        !virtq_create(&nic->ctrl.queue, size,
                      virtio_net_has(nic, VIRTIO_RING_F_EVENT_IDX)))
        log_at(LOG_WARNING, "virtio", "%s: no control queue", nic->dev.name);
}

void virtio_net_ctrl_destroy(struct virtio_net *nic)
{
    if (nic->ctrl.queue.size > 0)
        virtq_destroy(&nic->ctrl.queue);
}

/* Give it to the device, before DRIVER_OK. */
void virtio_net_ctrl_enable(struct virtio_net *nic)
{
    struct virtio_net_ctrl *ctrl = &nic->ctrl;

    ctrl->late = false;
    ctrl->ack_due = false;
    ctrl->enabled = ctrl->queue.size > 0 &&
                    nic->virtio->ops->queue_enable(nic->virtio, VIRTIO_NET_CTRL,
                                                   &ctrl->queue);
}

/* Forget the command that is out: the device has been reset. */
void virtio_net_ctrl_reset(struct virtio_net *nic)
{
    unsigned cursor = 0;

    if (nic->ctrl.queue.size == 0)
        return;
    (void)virtq_take_back(&nic->ctrl.queue, &cursor);
    virtq_reset(&nic->ctrl.queue);
}

/* Whether an answer is still hoped for. */
bool virtio_net_ctrl_waits(const struct virtio_net *nic)
{
    return virtq_chains(&nic->ctrl.queue) > 0 && !nic->ctrl.late;
}

/* Send a command without data; no other is out. */
static void command_send(struct virtio_net *nic, uint8_t class, uint8_t what)
{
    struct virtio_net_ctrl *ctrl = &nic->ctrl;
    struct virtio_net_command *command = &ctrl->command;
    const struct virtq_part part[] = {
        {&command->header, sizeof(command->header)},
        {&command->answer, sizeof(command->answer)},
    };
    bool pushed;

    command->header = (struct virtio_net_ctrl_hdr){.class = class, .cmd = what};
    command->answer = ANSWER_NONE;
    pushed = virtq_push(&ctrl->queue, part, 1, 1, command);
    ASSERT(pushed); /* the ring is empty, and has two descriptors */
    ctrl->end_us = clock_us() + ANSWER_US;
    if (virtq_publish(&ctrl->queue)) {
        nic->dev.count.kicks++;
        nic->virtio->ops->notify(nic->virtio, VIRTIO_NET_CTRL);
    }
}

/* The answer to the command that is out. What it says changes nothing here. */
static void answer_look(struct virtio_net *nic)
{
    struct virtio_net_ctrl *ctrl = &nic->ctrl;
    struct virtq_done done;

    switch (virtq_pop(&ctrl->queue, &done)) {
    case VIRTQ_OK:
        ctrl->late = false;
        nic->config_changed = true; /* as before, or once more? */
        return;
    case VIRTQ_BROKEN:
        virtio_net_broken(nic, "control ring");
        return;
    case VIRTQ_EMPTY:
        break;
    }
    if (ctrl->late || clock_us() < ctrl->end_us)
        return;
    ctrl->late = true;
    log_at(LOG_WARNING, "virtio", "%s: no answer to a command", nic->dev.name);
}

/* --- changes -------------------------------------------------------------- */

/* The link as it is now, and whether we are to be announced. */
static void config_look(struct virtio_net *nic)
{
    struct virtio_net_ctrl *ctrl = &nic->ctrl;
    struct virtio_net_settings settings;
    bool up;

    if (!virtio_net_settings_read(nic->virtio, &settings))
        return; /* it goes on changing, and will say so */
    up = virtio_net_link_of(nic, &settings);
    if (up != nic->dev.link_up) {
        nic->dev.link_up = up;
        nic->events &= ~(unsigned)(NETDEV_EV_LINK_UP | NETDEV_EV_LINK_DOWN);
        nic->events |= up ? NETDEV_EV_LINK_UP : NETDEV_EV_LINK_DOWN;
    }
    /* Until the device knows that it was done, the wish stays there. */
    if (virtio_net_has(nic, VIRTIO_NET_F_GUEST_ANNOUNCE) &&
        settings.status & VIRTIO_NET_S_ANNOUNCE && !ctrl->ack_due &&
        virtq_chains(&ctrl->queue) == 0) {
        nic->events |= NETDEV_EV_ANNOUNCE;
        ctrl->ack_due = true;
    }
}

/*
 * Hear and tell what there is. Called once in a round of the stack, which
 * thereby has announced, in the last round, what it was told of before.
 */
void virtio_net_ctrl_look(struct virtio_net *nic)
{
    struct virtio_net_ctrl *ctrl = &nic->ctrl;

    if (virtq_chains(&ctrl->queue) > 0)
        answer_look(nic);
    if (ctrl->ack_due && ctrl->enabled && virtq_chains(&ctrl->queue) == 0) {
        ctrl->ack_due = false;
        command_send(nic, VIRTIO_NET_CTRL_ANNOUNCE,
                     VIRTIO_NET_CTRL_ANNOUNCE_ACK);
    }
    if (!nic->config_changed || nic->state != VIRTIO_NET_RUNNING)
        return;
    nic->config_changed = false; /* before looking: it may change again */
    if (virtio_needs_reset(nic->virtio))
        virtio_net_broken(nic, "it asks for it");
    else
        config_look(nic);
}
