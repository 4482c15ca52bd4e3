/*
 * PCI functions as they should be and as a liar shows them: scans, capability
 * lists, BARs, MSI-X tables. Rows V21 and V23 of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/pci.h>
#include <linux/pci_regs.h>

#include "drivers/pci.h"
#include "tests/host/fake_pci.h"

enum { VENDOR = 0x1af4, DEVICE = 0x1041, CLASS_NET = 0x020000 };

static struct pci_device found[PCI_FOUND_MAX];

static int fresh(void **state)
{
    (void)state;
    fake_pci_init();
    return 0;
}

static uint16_t address(unsigned bus, unsigned slot, unsigned function)
{
    return (uint16_t)(bus << 8 | slot << 3 | function);
}

static size_t scan(void)
{
    return pci_scan(&fake_pci.access, found, PCI_FOUND_MAX);
}

static struct fake_function *add_bridge(unsigned bus, unsigned slot,
                                        uint8_t secondary)
{
    struct fake_function *bridge =
        fake_pci_add(address(bus, slot, 0), 0x8086, 1, 0x060400);

    fake_set8(bridge, PCI_HEADER_TYPE, PCI_HEADER_TYPE_BRIDGE);
    fake_set8(bridge, PCI_SECONDARY_BUS, secondary);
    return bridge;
}

/* One function, and how a scan sees it. */
static struct fake_function *one(struct pci_device *device)
{
    struct fake_function *function =
        fake_pci_add(address(0, 3, 0), VENDOR, DEVICE, CLASS_NET);

    assert_int_equal(scan(), 1);
    *device = found[0];
    return function;
}

/* --- scans ---------------------------------------------------------------- */

static void scan__machine_without_pci_has_no_function(void **state)
{
    (void)state;
    assert_int_equal(scan(), 0);
}

static void scan__function_is_described(void **state)
{
    struct fake_function *function;
    struct pci_device device;

    (void)state;
    function = one(&device);
    fake_set16(function, PCI_SUBSYSTEM_ID, 1);
    fake_set8(function, PCI_INTERRUPT_LINE, 11);
    assert_int_equal(scan(), 1);
    assert_int_equal(found[0].vendor_id, VENDOR);
    assert_int_equal(found[0].device_id, DEVICE);
    assert_int_equal(found[0].class_code, CLASS_NET);
    assert_int_equal(found[0].revision, 1);
    assert_int_equal(found[0].subsystem_id, 1);
    assert_int_equal(found[0].irq_line, 11);
    assert_string_equal(found[0].name, "00:03.0");
}

static void scan__further_functions_only_of_a_multifunction_device(void **state)
{
    struct fake_function *first;

    (void)state;
    first = fake_pci_add(address(0, 31, 0), VENDOR, DEVICE, CLASS_NET);
    fake_pci_add(address(0, 31, 7), VENDOR, DEVICE, CLASS_NET);
    assert_int_equal(scan(), 1);
    fake_set8(first, PCI_HEADER_TYPE, 0x80);
    assert_int_equal(scan(), 2);
    assert_string_equal(found[1].name, "00:1f.7");
}

static void scan__buses_behind_bridges_are_found(void **state)
{
    (void)state;
    add_bridge(0, 1, 200);
    add_bridge(200, 1, 5); /* a lower number than that it hangs on */
    fake_pci_add(address(5, 0, 0), VENDOR, DEVICE, CLASS_NET);
    assert_int_equal(scan(), 3);
    assert_string_equal(found[2].name, "05:00.0");
}

static void V21__bridges_in_a_circle_end(void **state)
{
    (void)state;
    add_bridge(0, 1, 1);
    add_bridge(1, 1, 0);
    add_bridge(1, 2, 1);
    assert_int_equal(scan(), 3);
}

static void V21__every_bus_full_of_bridges_is_looked_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAKE_FUNCTIONS_MAX; i++)
        add_bridge(i, 0, (uint8_t)(i + 1));
    assert_int_equal(scan(), FAKE_FUNCTIONS_MAX);
    assert_in_range(fake_pci.reads, 1, 66 * 32 * 9);
}

static void scan__more_than_there_is_room_for_is_left_out(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        fake_pci_add(address(0, i, 0), VENDOR, DEVICE, CLASS_NET);
    assert_int_equal(pci_scan(&fake_pci.access, found, 4), 4);
}

static void command__status_bits_are_not_cleared_on_the_way(void **state)
{
    struct pci_device device;
    struct fake_function *function;

    (void)state;
    function = one(&device);
    fake_set16(function, PCI_STATUS, 0xf900);
    pci_command(&device, PCI_COMMAND_MASTER, 0);
    assert_int_equal(pci_read16(&device, PCI_STATUS), 0xf900);
    assert_int_equal(pci_read16(&device, PCI_COMMAND), PCI_COMMAND_MASTER);
    pci_command(&device, PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER);
    assert_int_equal(pci_read16(&device, PCI_COMMAND), PCI_COMMAND_MEMORY);
}

/* --- capabilities --------------------------------------------------------- */

static void has_list(struct fake_function *function, uint8_t first)
{
    fake_set16(function, PCI_STATUS, PCI_STATUS_CAP_LIST);
    fake_set8(function, PCI_CAPABILITY_LIST, first);
}

static void cap(struct fake_function *function, unsigned at, uint8_t id,
                uint8_t next)
{
    fake_set8(function, at, id);
    fake_set8(function, at + 1, next);
}

static void capability__each_of_a_kind_is_found_in_order(void **state)
{
    struct pci_device device;
    struct fake_function *function;

    (void)state;
    function = one(&device);
    has_list(function, 0x40);
    cap(function, 0x40, PCI_CAP_ID_VNDR, 0x80);
    cap(function, 0x80, PCI_CAP_ID_MSIX, 0x60);
    cap(function, 0x60, PCI_CAP_ID_VNDR, 0);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0), 0x40);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0x40), 0x60);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0x60), 0);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_MSIX, 0), 0x80);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_PM, 0), 0);
}

static void capability__none_without_the_status_bit(void **state)
{
    struct pci_device device;
    struct fake_function *function;

    (void)state;
    function = one(&device);
    has_list(function, 0x40);
    cap(function, 0x40, PCI_CAP_ID_VNDR, 0);
    fake_set16(function, PCI_STATUS, 0);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0), 0);
}

static void V21__capability_list_that_loops_ends(void **state)
{
    struct pci_device device;
    struct fake_function *function;

    (void)state;
    function = one(&device);
    has_list(function, 0x40);
    cap(function, 0x40, PCI_CAP_ID_PM, 0x40);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0), 0);
    cap(function, 0x40, PCI_CAP_ID_PM, 0x50);
    cap(function, 0x50, PCI_CAP_ID_PM, 0x40);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0), 0);
}

static void V21__capability_inside_the_header_ends_the_list(void **state)
{
    struct pci_device device;
    struct fake_function *function;

    (void)state;
    function = one(&device);
    has_list(function, 0x3c);
    cap(function, 0x3c, PCI_CAP_ID_VNDR, 0);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_VNDR, 0), 0);
}

/* The last byte of the list may point anywhere: never beyond 256. */
static void V21__capability_at_the_very_end_is_within_the_space(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_msix msix;

    (void)state;
    function = one(&device);
    has_list(function, 0xff);
    cap(function, 0xfc, PCI_CAP_ID_MSIX, 0xff);
    assert_int_equal(pci_capability(&device, PCI_CAP_ID_MSIX, 0), 0xfc);
    assert_false(pci_msix_open(&device, 1, &msix)); /* 12 bytes are not there */
}

/* --- BARs ----------------------------------------------------------------- */

static void bar__of_32_and_64_bits_is_decoded(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_bar bar;

    (void)state;
    function = one(&device);
    fake_set16(function, PCI_COMMAND, PCI_COMMAND_MEMORY);
    fake_set_bar(function, 0, false, 0xfebd0000, 4096);
    fake_set_bar(function, 4, true, FAKE_BAR_BASE, 16384);
    assert_int_equal(pci_bar_get(&device, 0, &bar), PCI_BAR_OK);
    assert_int_equal(bar.base, 0xfebd0000);
    assert_int_equal(bar.bytes, 4096);
    assert_int_equal(pci_bar_get(&device, 4, &bar), PCI_BAR_OK);
    assert_int_equal(bar.base, FAKE_BAR_BASE);
    assert_int_equal(bar.bytes, 16384);
    assert_int_equal(pci_read32(&device, PCI_BASE_ADDRESS_0), 0xfebd0000);
    assert_int_equal(pci_read16(&device, PCI_COMMAND), PCI_COMMAND_MEMORY);
}

static void bar__of_more_than_4_gib_is_decoded(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_bar bar;

    (void)state;
    function = one(&device);
    fake_set_bar(function, 2, true, UINT64_C(0x4000000000),
                 UINT64_C(0x1000000000));
    assert_int_equal(pci_bar_get(&device, 2, &bar), PCI_BAR_OK);
    assert_int_equal(bar.bytes, UINT64_C(0x1000000000));
    assert_int_equal(bar.base, UINT64_C(0x4000000000));
}

static void V21__bar_of_the_wrong_type_is_refused(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_bar bar;

    (void)state;
    function = one(&device);
    fake_set32(function, PCI_BASE_ADDRESS_0, 0xc001);
    assert_int_equal(pci_bar_get(&device, 0, &bar), PCI_BAR_IO);
    fake_set_bar(function, 1, false, 0x10000000, 4096);
    fake_set32(function, PCI_BASE_ADDRESS_1, 0x10000000 | 2 << 1 | 2);
    assert_int_equal(pci_bar_get(&device, 1, &bar), PCI_BAR_BAD);
    fake_set_bar(function, 5, false, 0x10000000, 4096);
    fake_set32(function, PCI_BASE_ADDRESS_5,
               0x10000000 | PCI_BASE_ADDRESS_MEM_TYPE_64);
    assert_int_equal(pci_bar_get(&device, 5, &bar), PCI_BAR_BAD);
    assert_int_equal(pci_bar_get(&device, 6, &bar), PCI_BAR_NONE);
    assert_int_equal(pci_bar_get(&device, 255, &bar), PCI_BAR_NONE);
    assert_int_equal(pci_bar_get(&device, 2, &bar), PCI_BAR_NONE);
}

static void V21__upper_half_is_not_a_bar(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_bar bar;

    (void)state;
    function = one(&device);
    fake_set_bar(function, 0, true, FAKE_BAR_BASE, 4096);
    assert_int_equal(pci_bar_get(&device, 1, &bar), PCI_BAR_NONE);
}

static void V21__bar_without_an_address_is_refused(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_bar bar;

    (void)state;
    function = one(&device);
    fake_set_bar(function, 0, true, 0, 4096);
    assert_int_equal(pci_bar_get(&device, 0, &bar), PCI_BAR_UNASSIGNED);
    assert_null(pci_map(&device, 0, 0, 16));
}

static void V21__size_that_is_no_power_of_two_is_refused(void **state)
{
    struct pci_device device;
    struct fake_function *function;
    struct pci_bar bar;

    (void)state;
    function = one(&device);
    fake_set_bar(function, 0, false, 0x10000000, 4096);
    function->writable[0] = 0xff0ff000;
    assert_int_equal(pci_bar_get(&device, 0, &bar), PCI_BAR_BAD);
}

static void V21__structure_outside_its_bar_is_not_mapped(void **state)
{
    struct pci_device device;
    struct fake_function *function;

    (void)state;
    function = one(&device);
    fake_set_bar(function, 0, true, FAKE_BAR_BASE, 4096);
    assert_ptr_equal(pci_map(&device, 0, 4092, 4), fake_pci.bar + 4092);
    assert_null(pci_map(&device, 0, 4092, 5));
    assert_null(pci_map(&device, 0, 4096, 1));
    assert_null(pci_map(&device, 0, 4097, UINT64_MAX));
    assert_null(pci_map(&device, 0, 0xffffffff, 0xffffffff));
    assert_null(pci_map(&device, 0, 0, 0));
}

/* --- MSI-X ---------------------------------------------------------------- */

static struct fake_function *with_msix(struct pci_device *device,
                                       uint16_t entries)
{
    struct fake_function *function = one(device);

    fake_set_bar(function, 1, true, FAKE_BAR_BASE, 4096);
    has_list(function, 0x40);
    cap(function, 0x40, PCI_CAP_ID_MSIX, 0);
    fake_set16(function, 0x40 + PCI_MSIX_FLAGS, (uint16_t)(entries - 1));
    fake_set32(function, 0x40 + PCI_MSIX_TABLE, 0x800 | 1);
    return function;
}

static void msix__entry_is_written_and_unmasked(void **state)
{
    struct pci_device device;
    struct pci_msix msix;
    const uint32_t *entry = (const uint32_t *)(fake_pci.bar + 0x810);

    (void)state;
    with_msix(&device, 3);
    assert_true(pci_msix_open(&device, 2, &msix));
    assert_int_equal(msix.entries, 3);
    assert_int_equal(entry[3], 1);
    pci_msix_set(&msix, 1, UINT64_C(0x1fee01000), 77);
    assert_int_equal(entry[0], 0xfee01000);
    assert_int_equal(entry[1], 1);
    assert_int_equal(entry[2], 77);
    assert_int_equal(entry[3], 0);
    pci_msix_enable(&device, &msix, true);
    assert_true(pci_read16(&device, 0x42) & PCI_MSIX_FLAGS_ENABLE);
    assert_true(pci_read16(&device, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(pci_read8(&device, 0x40), PCI_CAP_ID_MSIX);
    pci_msix_enable(&device, &msix, false);
    assert_false(pci_read16(&device, 0x42) & PCI_MSIX_FLAGS_ENABLE);
    assert_false(pci_read16(&device, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);
}

static void V23__table_that_is_too_small_is_refused(void **state)
{
    struct pci_device device;
    struct pci_msix msix;

    (void)state;
    with_msix(&device, 1);
    assert_false(pci_msix_open(&device, 2, &msix));
}

static void V23__table_outside_its_bar_is_refused(void **state)
{
    struct pci_device device;
    struct pci_msix msix;
    struct fake_function *function;

    (void)state;
    function = with_msix(&device, 2048);
    fake_set32(function, 0x40 + PCI_MSIX_TABLE, 0xff8 | 1);
    assert_false(pci_msix_open(&device, 2, &msix));
    fake_set32(function, 0x40 + PCI_MSIX_TABLE, 0x7); /* no such BAR */
    assert_false(pci_msix_open(&device, 2, &msix));
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scan__machine_without_pci_has_no_function),
        TEST(scan__function_is_described),
        TEST(scan__further_functions_only_of_a_multifunction_device),
        TEST(scan__buses_behind_bridges_are_found),
        TEST(V21__bridges_in_a_circle_end),
        TEST(V21__every_bus_full_of_bridges_is_looked_at_once),
        TEST(scan__more_than_there_is_room_for_is_left_out),
        TEST(command__status_bits_are_not_cleared_on_the_way),
        TEST(capability__each_of_a_kind_is_found_in_order),
        TEST(capability__none_without_the_status_bit),
        TEST(V21__capability_list_that_loops_ends),
        TEST(V21__capability_inside_the_header_ends_the_list),
        TEST(V21__capability_at_the_very_end_is_within_the_space),
        TEST(bar__of_32_and_64_bits_is_decoded),
        TEST(bar__of_more_than_4_gib_is_decoded),
        TEST(V21__bar_of_the_wrong_type_is_refused),
        TEST(V21__upper_half_is_not_a_bar),
        TEST(V21__bar_without_an_address_is_refused),
        TEST(V21__size_that_is_no_power_of_two_is_refused),
        TEST(V21__structure_outside_its_bar_is_not_mapped),
        TEST(msix__entry_is_written_and_unmasked),
        TEST(V23__table_that_is_too_small_is_refused),
        TEST(V23__table_outside_its_bar_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
