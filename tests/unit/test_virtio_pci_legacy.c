/*
 * The legacy interface of virtio on PCI over ports that keep what is written,
 * at the offsets of virtio 1.2 4.1.4.10.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>

#include "drivers/virtio_pci.h"
#include "tests/host/virtio_scene.h"

enum {
    HOST_FEATURES = 0,
    GUEST_FEATURES = 4,
    QUEUE_PFN = 8,
    QUEUE_SIZE = 12,
    QUEUE_SELECT = 14,
    QUEUE_NOTIFY = 16,
    STATUS = 18,
    ISR = 19,
    CONFIG_PLAIN = 20, /* the device's own, without MSI-X */
    CONFIG_VECTOR = 20,
    QUEUE_VECTOR = 22,
    CONFIG_MSIX = 24,
    PORTS = 64,
    CAP_MSIX = 0x40
};

/* A legacy network card as QEMU makes it. */
static int fresh(void **state)
{
    (void)state;
    virtio_scene_make(0x1000, CAP_MSIX, CAP_MSIX);
    fake_set16(virtio.function, PCI_SUBSYSTEM_ID, VIRTIO_ID_NET);
    fake_set_ports(virtio.function, 0, FAKE_PORT_BASE, PORTS);
    fake_set_bar(virtio.function, 1, false, 0, 0);
    return 0;
}

static uint32_t port(unsigned offset, unsigned bytes)
{
    uint32_t value = 0;

    memcpy(&value, fake_pci.port + offset, bytes);
    return value;
}

static void set_port(unsigned offset, unsigned bytes, uint32_t value)
{
    memcpy(fake_pci.port + offset, &value, bytes);
}

/* A queue that lies where a guest has it: its page's number has 32 bits. */
static struct virtq queue_of(unsigned size)
{
    struct virtq queue = {.size = (uint16_t)size};

    vring_init(&queue.ring, size, (void *)UINT64_C(0xfedcba98000), 4096);
    return queue;
}

/* --- registers ------------------------------------------------------------ */

static void legacy__registers_are_where_the_text_says(void **state)
{
    struct virtio_device *device = virtio_open();

    (void)state;
    assert_non_null(device);
    assert_true(device->ops->legacy);
    device->ops->set_status(device, 3);
    assert_int_equal(port(STATUS, 1), 3);
    assert_int_equal(device->ops->status(device), 3);
    set_port(HOST_FEATURES, 4, 0x89abcdef);
    assert_int_equal(device->ops->offered(device), 0x89abcdef);
    device->ops->accept(device, 0x01234567);
    assert_int_equal(port(GUEST_FEATURES, 4), 0x01234567);
    set_port(QUEUE_SIZE, 2, 64);
    assert_int_equal(device->ops->queue_size(device, 2), 64);
    assert_int_equal(port(QUEUE_SELECT, 2), 2);
    assert_int_equal(device->ops->queue_size(device, 1000), 0);
    device->ops->notify(device, 1);
    assert_int_equal(port(QUEUE_NOTIFY, 2), 1);
    assert_int_equal(device->ops->config_generation(device),
                     device->ops->config_generation(device));
    virtio_pci_close(device);
}

static void legacy__configuration_moves_with_msix(void **state)
{
    struct virtio_device *device = virtio_open();

    (void)state;
    set_port(CONFIG_PLAIN, 4, 0x11223344);
    set_port(CONFIG_MSIX, 4, 0x55667788);
    assert_int_equal(device->ops->config_read(device, 0, 4), 0x11223344);
    assert_true(device->ops->interrupts_on(device, &virtio_counted));
    assert_int_equal(device->ops->config_read(device, 0, 4), 0x55667788);
    assert_int_equal(device->ops->config_read(device, 3, 1), 0x55);
    virtio_drop(device);
}

static void V21__configuration_ends_with_the_ports(void **state)
{
    struct virtio_device *device = virtio_open();

    (void)state;
    assert_int_equal(
        device->ops->config_read(device, PORTS - CONFIG_PLAIN - 2, 2), 0);
    assert_int_equal(
        device->ops->config_read(device, PORTS - CONFIG_PLAIN - 1, 2),
        UINT32_MAX);
    assert_int_equal(device->ops->config_read(device, UINT32_MAX, 4),
                     UINT32_MAX);
    virtio_pci_close(device);
}

static void V21__ports_that_cannot_be_are_refused(void **state)
{
    (void)state;
    fake_set_bar(virtio.function, 0, false, FAKE_BAR_BASE, 4096); /* memory */
    virtio_assert_refused();
    fake_set_ports(virtio.function, 0, 0, PORTS); /* no address */
    virtio_assert_refused();
    fake_set_ports(virtio.function, 0, FAKE_PORT_BASE, 16); /* too few */
    virtio_assert_refused();
    fake_set_ports(virtio.function, 0, FAKE_PORT_BASE + 4,
                   PORTS); /* not aligned */
    virtio_assert_refused();
}

/* --- queues --------------------------------------------------------------- */

static void legacy__queue_is_one_page_number(void **state)
{
    struct virtio_device *device = virtio_open();
    struct virtq queue = queue_of(256);

    (void)state;
    set_port(QUEUE_SIZE, 2, 256);
    assert_true(device->ops->queue_enable(device, 1, &queue));
    assert_int_equal(port(QUEUE_SELECT, 2), 1);
    assert_int_equal(port(QUEUE_PFN, 4), 0xfedcba98);
    /* The device finds the rest: 256 descriptors of 16 bytes, the available
     * ring, and the used ring on the next page. */
    assert_ptr_equal(queue.ring.avail, (char *)queue.ring.desc + 4096);
    assert_ptr_equal(queue.ring.used, (char *)queue.ring.desc + 8192);
    virtio_pci_close(device);
}

static void legacy__queue_beyond_32_bits_of_pages_is_refused(void **state)
{
    struct virtio_device *device = virtio_open();
    struct virtq queue = queue_of(256);

    (void)state;
    set_port(QUEUE_SIZE, 2, 256);
    queue.ring.desc = (void *)(UINT64_C(1) << 44);
    assert_false(device->ops->queue_enable(device, 0, &queue));
    virtio_pci_close(device);
}

static void V19__queue_of_another_size_is_refused(void **state)
{
    struct virtio_device *device = virtio_open();
    struct virtq queue = queue_of(128);

    (void)state;
    set_port(QUEUE_SIZE, 2, 256);
    assert_false(device->ops->queue_enable(device, 0, &queue));
    virtio_pci_close(device);
}

/* --- interrupts ----------------------------------------------------------- */

static void legacy__msix_entries_have_registers_of_their_own(void **state)
{
    struct virtio_device *device = virtio_open();
    struct virtq queue = queue_of(128);

    (void)state;
    set_port(CONFIG_VECTOR, 4, UINT32_MAX);
    set_port(QUEUE_SIZE, 2, 128);
    assert_true(device->ops->interrupts_on(device, &virtio_counted));
    assert_int_equal(port(CONFIG_VECTOR, 2), 0);
    assert_true(device->ops->queue_enable(device, 1, &queue));
    assert_int_equal(port(QUEUE_VECTOR, 2), 2);
    virtio_drop(device);
}

static void legacy__line_is_acknowledged_by_reading(void **state)
{
    struct virtio_device *device;
    int index;

    (void)state;
    fake_set8(virtio.function, PCI_CAPABILITY_LIST, 0);
    device = virtio_open();
    assert_true(device->ops->interrupts_on(device, &virtio_counted));
    index = fake_pci.line_vector - FAKE_VECTOR_FIRST;
    fake_pci.port[ISR] = 3;
    fake_pci.handler[index](fake_pci.arg[index]);
    assert_int_equal(virtio.queue_calls, 2); /* both queues */
    assert_int_equal(virtio.config_calls, 1);
    device->ops->interrupts_mask(device, true);
    assert_true(fake_pci.line_masked);
    virtio_drop(device);
}

static void legacy__only_a_transitional_device_has_it(void **state)
{
    (void)state;
    fake_set16(virtio.function, PCI_DEVICE_ID, 0x1041);
    virtio_assert_refused();
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(legacy__registers_are_where_the_text_says),
        TEST(legacy__configuration_moves_with_msix),
        TEST(V21__configuration_ends_with_the_ports),
        TEST(V21__ports_that_cannot_be_are_refused),
        TEST(legacy__queue_is_one_page_number),
        TEST(legacy__queue_beyond_32_bits_of_pages_is_refused),
        TEST(V19__queue_of_another_size_is_refused),
        TEST(legacy__msix_entries_have_registers_of_their_own),
        TEST(legacy__line_is_acknowledged_by_reading),
        TEST(legacy__only_a_transitional_device_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
