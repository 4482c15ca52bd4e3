/*
 * How a virtio device on PCI interrupts: which entries of MSI-X call whom, and
 * what is left when there are too few, or none. Rows V14 and V23 of the list of
 * bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "drivers/virtio_irq.h"
#include "tests/host/fake_pci.h"
#include "tests/host/host.h"

enum { CAP_MSIX = 0x40, TABLE = 0x8000, LINE = 11 };

static struct fake_function *function;
static struct pci_device pci;
static struct virtio_device device;
static struct virtio_irq irq;
static uint8_t reason; /* what the ISR says next */
static unsigned queue_calls[2], config_calls;

static uint8_t take_reason(struct virtio_device *of)
{
    uint8_t value = reason;

    assert_ptr_equal(of, &device);
    reason = 0;
    return value;
}

/* A card with a table of `entries`; 0: without MSI-X. */
static void make(unsigned entries)
{
    host_now_us = 0;
    queue_calls[0] = queue_calls[1] = config_calls = 0;
    fake_pci_init();
    function = fake_pci_add(3 << 3, 0x1af4, 0x1041, 0x020000);
    fake_set8(function, PCI_INTERRUPT_LINE, LINE);
    fake_set_bar(function, 4, true, FAKE_BAR_BASE, FAKE_BAR_BYTES);
    if (entries > 0) {
        fake_set16(function, PCI_STATUS, PCI_STATUS_CAP_LIST);
        fake_set8(function, PCI_CAPABILITY_LIST, CAP_MSIX);
        fake_set8(function, CAP_MSIX, PCI_CAP_ID_MSIX);
        fake_set16(function, CAP_MSIX + PCI_MSIX_FLAGS,
                   (uint16_t)(entries - 1));
        fake_set32(function, CAP_MSIX + PCI_MSIX_TABLE, TABLE | 4);
    }
    assert_int_equal(pci_scan(&fake_pci.access, &pci, 1), 1);
    device = (struct virtio_device){0};
    irq = (struct virtio_irq){
        .pci = &pci, .reason = take_reason, .device = &device};
}

static void on_queue0(void *arg)
{
    (void)arg;
    queue_calls[0]++;
}

static void on_queue1(void *arg)
{
    (void)arg;
    queue_calls[1]++;
}

static void on_config(void *arg)
{
    (void)arg;
    config_calls++;
}

static const struct virtio_interrupts to = {
    .queue = {on_queue0, on_queue1}, .config = on_config, .arg = &config_calls};

static void assert_calls(unsigned queue0, unsigned queue1, unsigned config)
{
    assert_int_equal(queue_calls[0], queue0);
    assert_int_equal(queue_calls[1], queue1);
    assert_int_equal(config_calls, config);
}

/* What a message of a table's entry would call, is called. */
static void raise_entry(unsigned entry)
{
    unsigned at = TABLE + entry * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_DATA;
    uint32_t vector;

    memcpy(&vector, fake_pci.bar + at, 4);
    vector -= FAKE_VECTOR_FIRST;
    fake_pci.handler[vector](fake_pci.arg[vector]);
}

static bool is_masked(unsigned entry)
{
    return fake_pci.bar[TABLE + entry * PCI_MSIX_ENTRY_SIZE +
                        PCI_MSIX_ENTRY_VECTOR_CTRL] == 1;
}

static bool msix_is_on(void)
{
    return pci_read16(&pci, CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

/* Raise the line; the ISR says `value`. */
static void raise_line(uint8_t value)
{
    int index = fake_pci.line_vector - FAKE_VECTOR_FIRST;

    assert_true(index >= 0);
    reason = value;
    fake_pci.handler[index](fake_pci.arg[index]);
}

static void assert_line_works(void)
{
    assert_int_equal(virtio_irq_entry(&irq, 0), VIRTIO_MSI_NO_VECTOR);
    assert_int_equal(pci_read16(&pci, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE,
                     0);
    raise_line(1);
    assert_calls(1, 1, 0);
    raise_line(2);
    assert_calls(1, 1, 1);
    raise_line(3);
    assert_calls(2, 2, 2);
}

/* --- MSI-X ---------------------------------------------------------------- */

static void msix__each_queue_has_an_entry(void **state)
{
    (void)state;
    make(3);
    assert_true(virtio_irq_on(&irq, &to));
    assert_true(msix_is_on());
    assert_int_equal(virtio_irq_entry(&irq, 0), 1);
    assert_int_equal(virtio_irq_entry(&irq, 1), 2);
    raise_entry(0);
    assert_calls(0, 0, 1);
    raise_entry(1);
    assert_calls(1, 0, 1);
    raise_entry(2);
    assert_calls(1, 1, 1);
    assert_int_equal(fake_pci.line_vector, -1);
}

static void msix__queue_that_is_polled_has_no_entry(void **state)
{
    (void)state;
    make(8);
    assert_true(virtio_irq_on(&irq, &to));
    assert_int_equal(virtio_irq_entry(&irq, 2), VIRTIO_MSI_NO_VECTOR);
    assert_int_equal(fake_pci.vectors, 3);
}

static void msix__table_of_two_entries_is_shared(void **state)
{
    (void)state;
    make(2);
    assert_true(virtio_irq_on(&irq, &to));
    assert_int_equal(virtio_irq_entry(&irq, 0), 1);
    assert_int_equal(virtio_irq_entry(&irq, 1), 1);
    raise_entry(1);
    assert_calls(1, 1, 0);
    raise_entry(0);
    assert_calls(1, 1, 1);
}

static void msix__masked_are_all_and_no_vector_is_lost(void **state)
{
    (void)state;
    make(3);
    assert_true(virtio_irq_on(&irq, &to));
    virtio_irq_mask(&irq, true);
    for (unsigned i = 0; i < 3; i++)
        assert_true(is_masked(i));
    virtio_irq_mask(&irq, false);
    for (unsigned i = 0; i < 3; i++)
        assert_false(is_masked(i));
    virtio_irq_mask(&irq, true);
    assert_true(virtio_irq_on(&irq, &to)); /* after a reset */
    for (unsigned i = 0; i < 3; i++)
        assert_false(is_masked(i));
    assert_int_equal(fake_pci.vectors, 3);
}

/* --- the line ------------------------------------------------------------- */

static void V23__table_of_one_entry_means_the_line(void **state)
{
    (void)state;
    make(1);
    assert_true(virtio_irq_on(&irq, &to));
    assert_line_works();
}

static void V23__no_table_means_the_line(void **state)
{
    (void)state;
    make(0);
    assert_true(virtio_irq_on(&irq, &to));
    assert_line_works();
    virtio_irq_mask(&irq, true);
    assert_true(fake_pci.line_masked);
    virtio_irq_mask(&irq, false);
    assert_false(fake_pci.line_masked);
}

static void V23__refused_entry_means_the_line(void **state)
{
    (void)state;
    make(3);
    assert_true(virtio_irq_on(&irq, &to));
    assert_true(virtio_irq_line(&irq));
    assert_false(msix_is_on());
    assert_line_works();
    assert_true(virtio_irq_on(&irq, &to)); /* and it stays so */
    assert_false(msix_is_on());
}

static void off__msix_that_is_forbidden_means_the_line(void **state)
{
    (void)state;
    make(3);
    device.off = VIRTIO_OFF_MSIX;
    assert_true(virtio_irq_on(&irq, &to));
    assert_false(msix_is_on());
    assert_line_works();
}

/* A line that is shared may be raised when MSI-X is in use. */
static void line__of_a_neighbour_is_ignored_with_msix(void **state)
{
    (void)state;
    make(0);
    assert_true(virtio_irq_on(&irq, &to));
    irq.entries = 3;
    raise_line(3);
    assert_calls(0, 0, 0);
}

static void V23__no_vector_and_no_line_means_polling(void **state)
{
    (void)state;
    for (int vectors = 0; vectors < 2; vectors++) {
        make(3);
        fake_pci.vectors_max = vectors;
        assert_false(virtio_irq_on(&irq, &to));
        assert_false(msix_is_on());
    }
    for (unsigned line = 0; line < 256; line += 255) {
        make(1);
        pci.irq_line = (uint8_t)line;
        assert_false(virtio_irq_on(&irq, &to));
    }
    make(1);
    fake_pci.no_line = true;
    assert_false(virtio_irq_on(&irq, &to));
    virtio_irq_mask(&irq, true); /* harmless */
    assert_false(fake_pci.line_masked);
}

static void V14__line_raised_for_nothing_is_masked(void **state)
{
    (void)state;
    make(0);
    assert_true(virtio_irq_on(&irq, &to));
    for (unsigned i = 0; i < 20000; i++) {
        host_now_us += 100; /* 10,000 a second: a busy neighbour */
        raise_line(0);
    }
    assert_false(fake_pci.line_masked);
    for (unsigned i = 0; i < 20000; i++)
        raise_line(0);
    assert_true(fake_pci.line_masked);
    assert_calls(0, 0, 0);
    assert_true(virtio_irq_on(&irq, &to));
    assert_false(fake_pci.line_masked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msix__each_queue_has_an_entry),
        cmocka_unit_test(msix__queue_that_is_polled_has_no_entry),
        cmocka_unit_test(msix__table_of_two_entries_is_shared),
        cmocka_unit_test(msix__masked_are_all_and_no_vector_is_lost),
        cmocka_unit_test(V23__table_of_one_entry_means_the_line),
        cmocka_unit_test(V23__no_table_means_the_line),
        cmocka_unit_test(V23__refused_entry_means_the_line),
        cmocka_unit_test(off__msix_that_is_forbidden_means_the_line),
        cmocka_unit_test(line__of_a_neighbour_is_ignored_with_msix),
        cmocka_unit_test(V23__no_vector_and_no_line_means_polling),
        cmocka_unit_test(V14__line_raised_for_nothing_is_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
