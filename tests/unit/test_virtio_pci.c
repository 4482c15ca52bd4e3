/*
 * virtio 1.x on PCI over registers that are plain memory: which structures are
 * taken, where it is notified, how interrupts come. Rows V19 to V21 of the list
 * of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>

#include "drivers/virtio_pci.h"
#include "tests/host/virtio_scene.h"

/* Where the structures are in BAR 4. */
enum {
    COMMON = 0,
    ISR = 0x1000,
    CONFIG = 0x2000,
    NOTIFY = 0x3000,
    CAP_COMMON = 0x40,
    CAP_ISR = 0x50,
    CAP_CONFIG = 0x60,
    CAP_NOTIFY = 0x70,
    CAP_MSIX = 0x90,
    MULTIPLIER = 4
};

/* A device as QEMU makes it. */
static int fresh(void **state)
{
    (void)state;
    virtio_scene_make(0x1041, CAP_COMMON, CAP_MSIX);
    fake_virtio_cap(virtio.function, CAP_COMMON, CAP_ISR,
                    VIRTIO_PCI_CAP_COMMON_CFG, 4, COMMON, 0x1000);
    fake_virtio_cap(virtio.function, CAP_ISR, CAP_CONFIG,
                    VIRTIO_PCI_CAP_ISR_CFG, 4, ISR, 0x1000);
    fake_virtio_cap(virtio.function, CAP_CONFIG, CAP_NOTIFY,
                    VIRTIO_PCI_CAP_DEVICE_CFG, 4, CONFIG, 0x1000);
    fake_virtio_cap(virtio.function, CAP_NOTIFY, CAP_MSIX,
                    VIRTIO_PCI_CAP_NOTIFY_CFG, 4, NOTIFY, 0x1000);
    fake_set32(virtio.function, CAP_NOTIFY + VIRTIO_PCI_NOTIFY_CAP_MULT,
               MULTIPLIER);
    fake_pci.bar[COMMON + VIRTIO_PCI_COMMON_NUMQ] = 3;
    return 0;
}

static uint16_t common16(unsigned offset)
{
    uint16_t value;

    memcpy(&value, fake_pci.bar + COMMON + offset, 2);
    return value;
}

static void set_common16(unsigned offset, uint16_t value)
{
    memcpy(fake_pci.bar + COMMON + offset, &value, 2);
}

/* --- which devices, which structures -------------------------------------- */

static void id__modern_and_transitional_devices_are_known(void **state)
{
    struct pci_device device = {.vendor_id = 0x1af4, .device_id = 0x1041};

    (void)state;
    assert_true(virtio_pci_is(&device, VIRTIO_ID_NET));
    assert_false(virtio_pci_is(&device, VIRTIO_ID_RNG));
    device.device_id = 0x1005;
    device.subsystem_id = VIRTIO_ID_RNG;
    assert_true(virtio_pci_is(&device, VIRTIO_ID_RNG));
    device.device_id = 0x0fff;
    assert_false(virtio_pci_is(&device, VIRTIO_ID_RNG));
    device.device_id = 0x1044;
    device.vendor_id = 0x8086;
    assert_false(virtio_pci_is(&device, VIRTIO_ID_RNG));
}

static void open__registers_are_reached(void **state)
{
    struct virtio_device *device;

    (void)state;
    device = virtio_open();
    assert_non_null(device);
    assert_string_equal(device->name, "00:03.0");
    device->ops->set_status(device, 5);
    assert_int_equal(fake_pci.bar[COMMON + VIRTIO_PCI_COMMON_STATUS], 5);
    assert_int_equal(device->ops->status(device), 5);
    memcpy(fake_pci.bar + CONFIG, "\x52\x54\x00\x12", 4);
    assert_int_equal(device->ops->config_read(device, 1, 1), 0x54);
    assert_int_equal(device->ops->config_read(device, 2, 2), 0x1200);
    assert_int_equal(device->ops->config_read(device, 0, 4), 0x12005452);
    virtio_pci_close(device);
}

/* Firmware's rings may still be known to the device: no access to memory. */
static void open__device_reaches_memory_with_its_first_queue(void **state)
{
    struct virtio_device *device;
    struct virtq queue;

    (void)state;
    fake_set16(virtio.function, PCI_COMMAND, PCI_COMMAND_MASTER);
    device = virtio_open();
    assert_false(virtio.function->space[PCI_COMMAND] & PCI_COMMAND_MASTER);
    assert_true(virtq_create(&queue, 64, false));
    assert_true(device->ops->queue_enable(device, 0, &queue));
    assert_true(virtio.function->space[PCI_COMMAND] & PCI_COMMAND_MASTER);
    virtio_pci_close(device);
    assert_false(virtio.function->space[PCI_COMMAND] & PCI_COMMAND_MASTER);
    virtq_destroy(&queue);
}

static void open__first_usable_structure_of_a_kind_is_taken(void **state)
{
    struct virtio_device *device;

    (void)state;
    /* Ports first, as some devices offer; and a second of the right kind. */
    fake_virtio_cap(virtio.function, CAP_COMMON, 0xa0,
                    VIRTIO_PCI_CAP_COMMON_CFG, 0, 0, 0x1000);
    fake_set32(virtio.function, PCI_BASE_ADDRESS_0, 0xc001);
    fake_virtio_cap(virtio.function, 0xa0, 0xc0, VIRTIO_PCI_CAP_COMMON_CFG, 4,
                    COMMON, 0x1000);
    fake_virtio_cap(virtio.function, 0xc0, CAP_ISR, VIRTIO_PCI_CAP_COMMON_CFG,
                    4, 0x5000, 0x1000);
    device = virtio_open();
    assert_non_null(device);
    device->ops->set_status(device, 9);
    assert_int_equal(fake_pci.bar[COMMON + VIRTIO_PCI_COMMON_STATUS], 9);
    virtio_pci_close(device);
}

static void V21__missing_structure_is_refused(void **state)
{
    static const unsigned kinds[] = {CAP_COMMON, CAP_ISR, CAP_NOTIFY};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        fresh(NULL);
        fake_set8(virtio.function, kinds[i] + VIRTIO_PCI_CAP_CFG_TYPE, 200);
        virtio_assert_refused();
    }
}

static void V21__structure_that_cannot_be_is_refused(void **state)
{
    static const struct {
        unsigned at;
        uint32_t value;
    } rows[] = {
        {CAP_COMMON + VIRTIO_PCI_CAP_OFFSET, FAKE_BAR_BYTES},
        {CAP_COMMON + VIRTIO_PCI_CAP_OFFSET, 0xfffffffc},
        {CAP_COMMON + VIRTIO_PCI_CAP_LENGTH, 0},
        {CAP_COMMON + VIRTIO_PCI_CAP_LENGTH, 55},
        {CAP_NOTIFY + VIRTIO_PCI_CAP_LENGTH, 1},
        {CAP_COMMON + VIRTIO_PCI_CAP_BAR, 6},
        {CAP_COMMON + VIRTIO_PCI_CAP_BAR, 255},
        {CAP_COMMON + VIRTIO_PCI_CAP_BAR, 5},
        {PCI_BASE_ADDRESS_4 + 4, 0}, /* address 0 */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        fresh(NULL);
        fake_set32(virtio.function, rows[i].at, rows[i].value);
        virtio_assert_refused();
    }
}

static void V21__capability_of_a_bad_length_is_refused(void **state)
{
    static const uint8_t lengths[] = {0, 15, 255};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
        fresh(NULL);
        fake_set8(virtio.function, CAP_COMMON + VIRTIO_PCI_CAP_LEN, lengths[i]);
        virtio_assert_refused();
    }
}

static void V21__structure_of_a_huge_length_is_cut(void **state)
{
    struct virtio_device *device;

    (void)state;
    fake_set32(virtio.function, CAP_COMMON + VIRTIO_PCI_CAP_LENGTH, 0xffffffff);
    device = virtio_open();
    assert_non_null(device);
    virtio_pci_close(device);
}

static void V21__configuration_ends_where_it_says(void **state)
{
    struct virtio_device *device;

    (void)state;
    fake_set32(virtio.function, CAP_CONFIG + VIRTIO_PCI_CAP_LENGTH, 10);
    device = virtio_open();
    assert_int_equal(device->ops->config_read(device, 8, 2), 0);
    assert_int_equal(device->ops->config_read(device, 10, 2), UINT32_MAX);
    assert_int_equal(device->ops->config_read(device, 0x7fffffff, 4),
                     UINT32_MAX);
    virtio_pci_close(device);
}

/* --- queues --------------------------------------------------------------- */

static void queue__is_described_and_notified_at_its_address(void **state)
{
    struct virtio_device *device = virtio_open();
    struct virtq queue;
    uint64_t address;
    uint16_t notified;

    (void)state;
    assert_true(virtq_create(&queue, 128, false));
    set_common16(VIRTIO_PCI_COMMON_Q_NOFF, 3);
    assert_true(device->ops->queue_enable(device, 1, &queue));
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_SELECT), 1);
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_SIZE), 128);
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_ENABLE), 1);
    memcpy(&address, fake_pci.bar + COMMON + VIRTIO_PCI_COMMON_Q_USEDLO, 8);
    assert_int_equal(address, (uintptr_t)queue.ring.used);
    device->ops->notify(device, 1);
    memcpy(&notified, fake_pci.bar + NOTIFY + 3 * MULTIPLIER, 2);
    assert_int_equal(notified, 1);
    virtio_pci_close(device);
    virtq_destroy(&queue);
}

static void V20__notification_beyond_its_structure_is_refused(void **state)
{
    struct virtio_device *device = virtio_open();
    struct virtq queue;

    (void)state;
    assert_true(virtq_create(&queue, 128, false));
    set_common16(VIRTIO_PCI_COMMON_Q_NOFF, 0x1000 / MULTIPLIER);
    assert_false(device->ops->queue_enable(device, 0, &queue));
    set_common16(VIRTIO_PCI_COMMON_Q_NOFF, 0xffff);
    assert_false(device->ops->queue_enable(device, 0, &queue));
    set_common16(VIRTIO_PCI_COMMON_Q_NOFF, 0x1000 / MULTIPLIER - 1);
    assert_true(device->ops->queue_enable(device, 0, &queue));
    virtio_pci_close(device);

    fake_set32(virtio.function, CAP_NOTIFY + VIRTIO_PCI_NOTIFY_CAP_MULT,
               0xffffffff);
    set_common16(VIRTIO_PCI_COMMON_Q_NOFF, 0xffff);
    device = virtio_open();
    assert_false(device->ops->queue_enable(device, 0, &queue));
    virtio_pci_close(device);
    virtq_destroy(&queue);
}

static void V19__queue_that_there_is_not_is_absent(void **state)
{
    struct virtio_device *device = virtio_open();

    (void)state;
    set_common16(VIRTIO_PCI_COMMON_Q_SIZE, 256);
    set_common16(VIRTIO_PCI_COMMON_NUMQ, 1);
    assert_int_equal(device->ops->queue_size(device, 0), 256);
    assert_int_equal(device->ops->queue_size(device, 1), 0);
    assert_int_equal(device->ops->queue_size(device, 1000), 0);
    virtio_pci_close(device);
}

/* --- interrupts ----------------------------------------------------------- */

static void enable_queue(struct virtio_device *device, unsigned index)
{
    struct virtq queue;

    assert_true(virtq_create(&queue, 128, false));
    assert_true(device->ops->queue_enable(device, index, &queue));
    virtq_destroy(&queue);
}

static void interrupts__entries_of_msix_are_named_to_the_device(void **state)
{
    struct virtio_device *device = virtio_open();

    (void)state;
    set_common16(VIRTIO_PCI_COMMON_MSIX, VIRTIO_MSI_NO_VECTOR);
    set_common16(VIRTIO_PCI_COMMON_Q_MSIX, VIRTIO_MSI_NO_VECTOR);
    assert_true(device->ops->interrupts_on(device, &virtio_counted));
    assert_int_equal(common16(VIRTIO_PCI_COMMON_MSIX), 0);
    enable_queue(device, 2); /* it is polled */
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_MSIX), VIRTIO_MSI_NO_VECTOR);
    enable_queue(device, 0);
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_MSIX), 1);
    enable_queue(device, 1);
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_MSIX), 2);
    assert_int_equal(fake_pci.line_vector, -1);
    virtio_drop(device);
}

static void interrupts__line_is_acknowledged_by_the_isr(void **state)
{
    struct virtio_device *device;
    int index;

    (void)state;
    fake_set8(virtio.function, CAP_NOTIFY + 1, 0); /* no MSI-X */
    device = virtio_open();
    assert_true(device->ops->interrupts_on(device, &virtio_counted));
    index = fake_pci.line_vector - FAKE_VECTOR_FIRST;
    fake_pci.bar[ISR] = 3;
    fake_pci.handler[index](fake_pci.arg[index]);
    assert_int_equal(virtio.queue_calls, 2); /* both queues */
    assert_int_equal(virtio.config_calls, 1);
    enable_queue(device, 0);
    assert_int_equal(common16(VIRTIO_PCI_COMMON_Q_MSIX), 0); /* untouched */
    device->ops->interrupts_mask(device, true);
    assert_true(fake_pci.line_masked);
    virtio_drop(device);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(id__modern_and_transitional_devices_are_known),
        TEST(open__registers_are_reached),
        TEST(open__device_reaches_memory_with_its_first_queue),
        TEST(open__first_usable_structure_of_a_kind_is_taken),
        TEST(V21__missing_structure_is_refused),
        TEST(V21__structure_that_cannot_be_is_refused),
        TEST(V21__capability_of_a_bad_length_is_refused),
        TEST(V21__structure_of_a_huge_length_is_cut),
        TEST(V21__configuration_ends_where_it_says),
        TEST(queue__is_described_and_notified_at_its_address),
        TEST(V20__notification_beyond_its_structure_is_refused),
        TEST(V19__queue_that_there_is_not_is_absent),
        TEST(interrupts__entries_of_msix_are_named_to_the_device),
        TEST(interrupts__line_is_acknowledged_by_the_isr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
