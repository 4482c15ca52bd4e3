/*
 * tests/bench/insn_plugin.c - counts a guest's instructions inside QEMU (TCG).
 *
 * Only those of the image count: the firmware lies elsewhere. The counters are
 * a file that the bench maps and reads while the guest runs:
 *   word 0      instructions between `low` and `high`
 *   word 1...   how often each `watch` address was executed
 *   word 16...  instructions of each function, in the order of `symbols`: a
 *               file of 64-bit addresses, ascending, where functions begin
 *
 *   -plugin insn_plugin.so,counters=FILE,low=0x..,high=0x..,watch=0x..,
 *           symbols=FILE
 *
 * Instructions of a loop that polls are those of its functions: counted.py.
 *
 * Counted by translated blocks: one that is left early, by a fault, counts in
 * full, and one belongs to the function that it begins in. Debian's QEMU loads
 * plugins but ships no header, so that what is used of the interface is
 * declared here.
 * Source: QEMU 7.2 docs/devel/tcg-plugins.rst, plugin interface version 1.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WATCH_MAX = 15, SYMBOLS_AT = 1 + WATCH_MAX };

/* ---- QEMU's side ---- */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void translated_fn(plugin_id id, struct qemu_plugin_tb *block);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, translated_fn *fn);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block,
                                              enum qemu_plugin_op op,
                                              void *word, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                enum qemu_plugin_op op,
                                                void *word, uint64_t value);

/* ---- what QEMU looks up ---- */

#define EXPORT __attribute__((visibility("default")))

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info_t *info,
                               int argc, char **argv);

static struct {
    const char *path; /* of the file of counters */
    uint64_t *words;  /* the same, mapped */
    uint64_t low;
    uint64_t high;
    uint64_t watch[WATCH_MAX];
    size_t watch_count;
    const uint64_t *symbols; /* where functions begin, ascending */
    size_t symbol_count;
} plugin;

/* The counter of the function that `address` lies in; null: of none. */
static uint64_t *function_word(uint64_t address)
{
    size_t low = 0;
    size_t high = plugin.symbol_count;

    while (low < high) { /* low: how many begin at or before the address */
        size_t middle = low + (high - low) / 2;

        if (plugin.symbols[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &plugin.words[SYMBOLS_AT + low - 1] : NULL;
}

static void watch(struct qemu_plugin_insn *insn)
{
    uint64_t address = qemu_plugin_insn_vaddr(insn);

    for (size_t i = 0; i < plugin.watch_count; i++) {
        if (plugin.watch[i] == address)
            qemu_plugin_register_vcpu_insn_exec_inline(
                insn, QEMU_PLUGIN_INLINE_ADD_U64, &plugin.words[1 + i], 1);
    }
}

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    uint64_t address = qemu_plugin_tb_vaddr(block);
    size_t count = qemu_plugin_tb_n_insns(block);
    uint64_t *function;

    (void)id;
    if (address < plugin.low || address >= plugin.high)
        return;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64,
                                             &plugin.words[0], count);
    function = function_word(address);
    if (function)
        qemu_plugin_register_vcpu_tb_exec_inline(
            block, QEMU_PLUGIN_INLINE_ADD_U64, function, count);
    for (size_t i = 0; i < count; i++)
        watch(qemu_plugin_tb_get_insn(block, i));
}

/* Map a file, made as long as `bytes` unless that is 0; null: it cannot be. */
static void *map_file(const char *path, size_t *bytes)
{
    int file = open(path, O_RDWR | O_CREAT, 0600);
    off_t length;
    void *words = MAP_FAILED;

    if (file < 0)
        return NULL;
    if (*bytes > 0 && ftruncate(file, (off_t)*bytes) != 0)
        *bytes = 0;
    length = lseek(file, 0, SEEK_END);
    if (length > 0) {
        *bytes = (size_t)length;
        words = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    close(file);
    return words == MAP_FAILED ? NULL : words;
}

static bool option(const char *name, const char *value)
{
    size_t bytes = 0;

    if (strcmp(name, "low") == 0)
        plugin.low = strtoull(value, NULL, 0);
    else if (strcmp(name, "high") == 0)
        plugin.high = strtoull(value, NULL, 0);
    else if (strcmp(name, "watch") == 0 && plugin.watch_count < WATCH_MAX)
        plugin.watch[plugin.watch_count++] = strtoull(value, NULL, 0);
    else if (strcmp(name, "symbols") == 0)
        plugin.symbols = map_file(value, &bytes);
    else if (strcmp(name, "counters") == 0)
        plugin.path = value;
    else
        return false;
    plugin.symbol_count += bytes / sizeof(uint64_t);
    return true;
}

int qemu_plugin_install(plugin_id id, const struct qemu_info_t *info, int argc,
                        char **argv)
{
    size_t bytes;

    (void)info;
    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        if (!value)
            return -1;
        *value++ = '\0';
        if (!option(argv[i], value))
            return -1;
    }
    bytes = (SYMBOLS_AT + plugin.symbol_count) * sizeof(uint64_t);
    plugin.words = plugin.path ? map_file(plugin.path, &bytes) : NULL;
    if (!plugin.words)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
