/*
 * tests/host/virtio_scene.c - see virtio_scene.h.
 */
#include "tests/host/virtio_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/pci_regs.h>

#include "tests/host/host.h"
#include "tests/host/page.h"

struct virtio_scene virtio;

static void on_queue(void *arg)
{
    (void)arg;
    virtio.queue_calls++;
}

static void on_config(void *arg)
{
    (void)arg;
    virtio.config_calls++;
}

const struct virtio_interrupts virtio_counted = {
    .queue = {on_queue, on_queue}, .config = on_config, .arg = &virtio};

void virtio_scene_make(uint16_t device_id, uint8_t cap, uint8_t cap_msix)
{
    struct fake_function *function;

    host_now_us = 0;
    fake_pci_init();
    function = fake_pci_add(3 << 3, 0x1af4, device_id, 0x020000);
    fake_set16(function, PCI_STATUS, PCI_STATUS_CAP_LIST);
    fake_set8(function, PCI_CAPABILITY_LIST, cap);
    fake_set8(function, PCI_INTERRUPT_LINE, SCENE_LINE);
    fake_set_bar(function, 4, true, FAKE_BAR_BASE, FAKE_BAR_BYTES);
    fake_set8(function, cap_msix, PCI_CAP_ID_MSIX);
    fake_set16(function, cap_msix + PCI_MSIX_FLAGS, 2);
    fake_set32(function, cap_msix + PCI_MSIX_TABLE, SCENE_TABLE | 4);
    virtio = (struct virtio_scene){.function = function};
}

struct virtio_device *virtio_open_without(uint64_t off)
{
    struct pci_device found[1];

    assert_int_equal(pci_scan(&fake_pci.access, found, 1), 1);
    return virtio_pci_open(found, off);
}

struct virtio_device *virtio_open(void)
{
    return virtio_open_without(0);
}

void virtio_assert_refused(void)
{
    assert_null(virtio_open());
    assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
}

void virtio_drop(struct virtio_device *device)
{
    page_free(device, 1, PAGE_DEVICE);
}
