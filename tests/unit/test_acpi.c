/*
 * tests/unit/test_acpi.c - facts out of tables, and nothing out of bad ones.
 */
#include "kernel/acpi.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    BASE = 0xf0000, /* in the BIOS's area, where the root is looked for */
    BYTES = 0x8000,
    RSDP = 0xf0010,
    RSDT = 0xf1000,
    FADT = 0xf2000,
    MADT = 0xf3000,
    DSDT = 0xf4000,
};

static uint8_t *bytes;
static struct acpi_window window;
static struct acpi_facts facts;

static void put32(uint32_t address, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[address - BASE + i] = (uint8_t)(value >> 8 * i);
}

static void put16(uint32_t address, uint16_t value)
{
    bytes[address - BASE] = (uint8_t)value;
    bytes[address - BASE + 1] = (uint8_t)(value >> 8);
}

/* Make [address, address + length) sum to zero by its byte at `at`. */
static void seal(uint32_t address, uint32_t length, uint32_t at)
{
    uint8_t sum = 0;

    bytes[address + at - BASE] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[address - BASE + i]);
    bytes[address + at - BASE] = (uint8_t)-sum;
}

static void table(uint32_t address, const char *name, uint32_t length)
{
    memcpy(bytes + (address - BASE), name, 4);
    put32(address + 4, length);
}

static void seal_table(uint32_t address)
{
    seal(address, bytes[address - BASE + 4] | bytes[address - BASE + 5] << 8,
         9);
}

static const uint8_t SLEEP[] = {0x08, '_',  'S', '5',  '_',  0x12, 0x08,
                                0x04, 0x0a, 5,   0x01, 0x00, 0x00};

static int set_up(void **state)
{
    (void)state;
    bytes = calloc(1, BYTES);
    if (!bytes)
        return -1;
    window = (struct acpi_window){bytes, BASE, BASE + BYTES};
    memcpy(bytes + (RSDP - BASE), "RSD PTR ", 8);
    put32(RSDP + 16, RSDT);
    seal(RSDP, 20, 8);
    table(RSDT, "RSDT", 36 + 8);
    put32(RSDT + 36, FADT);
    put32(RSDT + 40, MADT);
    seal_table(RSDT);
    table(FADT, "FACP", 116);
    put32(FADT + 40, DSDT);
    put16(FADT + 46, 9);
    put32(FADT + 48, 0xb2);
    bytes[FADT + 52 - BASE] = 0xf1;
    put32(FADT + 56, 0x600);
    put32(FADT + 64, 0x604);
    put32(FADT + 76, 0x608);
    bytes[FADT + 88 - BASE] = 4;
    seal_table(FADT);
    table(DSDT, "DSDT", 36 + 7 + sizeof(SLEEP));
    memcpy(bytes + (DSDT + 43 - BASE), SLEEP, sizeof(SLEEP));
    seal_table(DSDT);
    table(MADT, "APIC", 44 + 12 + 10);
    memcpy(bytes + (MADT + 44 - BASE),
           "\x01\x0c\x00\x00\x00\x00\xc0\xfe\x00\x00\x00\x00"
           "\x02\x0a\x00\x09\x14\x00\x00\x00\x0f\x00",
           22);
    seal_table(MADT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static void read_facts(void)
{
    const struct acpi_root root = {.address = 0};

    acpi_read(&window, &root, &facts);
}

static void acpi__good_tables_are_read(void **state)
{
    (void)state;
    read_facts();
    assert_true(facts.found);
    assert_int_equal(facts.event_a, 0x600);
    assert_int_equal(facts.event_bytes, 4);
    assert_int_equal(facts.control_a, 0x604);
    assert_int_equal(facts.control_b, 0);
    assert_int_equal(facts.timer, 0x608);
    assert_int_equal(facts.sci, 9);
    assert_int_equal(facts.smi_command, 0xb2);
    assert_int_equal(facts.acpi_enable, 0xf1);
    assert_true(facts.fixed_power_button);
    assert_true(facts.sleep_given);
    assert_int_equal(facts.sleep_a, 5);
    assert_int_equal(facts.sleep_b, 1);
}

static void acpi__lines_and_io_apics_are_read(void **state)
{
    (void)state;
    read_facts();
    assert_int_equal(facts.io_apic_count, 1);
    assert_int_equal(facts.io_apics[0].address, 0xfec00000);
    assert_true(facts.lines[9].given);
    assert_int_equal(facts.lines[9].input, 20);
    assert_true(facts.lines[9].active_low);
    assert_true(facts.lines[9].level);
    assert_false(facts.lines[5].given);
}

static void acpi__the_loaders_root_is_taken_first(void **state)
{
    struct acpi_root root = {.copy = bytes + (RSDP - BASE), .copy_bytes = 20};
    uint8_t copy[20];

    (void)state;
    memcpy(copy, root.copy, sizeof(copy));
    memset(bytes + (RSDP - BASE), 0, 20);
    root.copy = copy;
    acpi_read(&window, &root, &facts);
    assert_true(facts.found);
    read_facts();
    assert_false(facts.found);
}

static void acpi__tables_with_wrong_sums_or_lengths_are_left_out(void **state)
{
    static const uint32_t lengths[] = {0, 35, 0x7fffffff, 0xffffffff};

    (void)state;
    bytes[FADT + 64 - BASE] ^= 1;
    read_facts();
    assert_true(facts.found);
    assert_int_equal(facts.control_a, 0);
    assert_false(facts.sleep_given);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        put32(RSDT + 4, lengths[i]);
        read_facts();
        assert_false(facts.found);
    }
}

static void acpi__madt_entries_of_no_length_end_the_list(void **state)
{
    static const uint8_t lengths[] = {0, 1, 23, 255};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        bytes[MADT + 45 - BASE] = lengths[i];
        seal_table(MADT);
        read_facts();
        assert_int_equal(facts.io_apic_count, 0);
    }
}

static void
acpi__a_sleep_package_cut_at_the_end_reads_nothing_outside(void **state)
{
    (void)state;
    for (uint32_t length = 36; length < 36 + 7 + sizeof(SLEEP); length++) {
        uint8_t *exact = malloc(length);

        assert_non_null(exact);
        memcpy(exact, bytes + (DSDT - BASE), length);
        facts = (struct acpi_facts){.found = false};
        find_sleep(exact, length, &facts);
        free(exact);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acpi__good_tables_are_read),
        TEST(acpi__lines_and_io_apics_are_read),
        TEST(acpi__the_loaders_root_is_taken_first),
        TEST(acpi__tables_with_wrong_sums_or_lengths_are_left_out),
        TEST(acpi__madt_entries_of_no_length_end_the_list),
        TEST(acpi__a_sleep_package_cut_at_the_end_reads_nothing_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
