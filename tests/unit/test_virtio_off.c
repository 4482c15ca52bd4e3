/*
 * Names of features that the user forbids. The numbers are those of virtio 1.2
 * 5.1.3 and 6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/virtio.h"
#include "drivers/virtio_off.h"

static void off__names_are_features(void **state)
{
    static const struct {
        const char *text;
        uint64_t off;
    } good[] = {
        {"csum", UINT64_C(1) << 0},
        {"mtu", UINT64_C(1) << 3},
        {"mrg_rxbuf", UINT64_C(1) << 15},
        {"host_tso4,guest_tso4", UINT64_C(1) << 11 | UINT64_C(1) << 7},
        {"event_idx,event_idx", UINT64_C(1) << 29},
        {"msix", VIRTIO_OFF_MSIX},
        {"modern", UINT64_C(1) << 32},
        {"all", ~(UINT64_C(1) << 32)},
        {"modern,all", UINT64_MAX},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
        uint64_t off = 0;

        assert_true(virtio_off_parse(good[i].text, &off));
        assert_int_equal(off, good[i].off);
    }
}

static void off__what_is_no_name_changes_nothing(void **state)
{
    static const char *const bad[] = {"",          ",",    "csum,", ",csum",
                                      "csum,,mac", "CSUM", "csu",   "csum2",
                                      "csum, mac", "mac=0"};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t off = 77;

        assert_false(virtio_off_parse(bad[i], &off));
        assert_int_equal(off, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off__names_are_features),
        cmocka_unit_test(off__what_is_no_name_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
