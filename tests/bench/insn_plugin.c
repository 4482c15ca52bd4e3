/*
 * tests/bench/insn_plugin.c - counts a guest's instructions inside QEMU (TCG).
 *
 * Only those of the image count: the firmware lies elsewhere. The counters are
 * a file that the bench maps and reads while the guest runs:
 *   word 0      instructions between `low` and `high`
 *   word 1...   how often each `watch` address was executed
 *
 *   -plugin insn_plugin.so,counters=FILE,low=0x..,high=0x..,watch=0x..
 *
 * Counted by translated blocks: one that is left early, by a fault, counts in
 * full. Debian's QEMU loads plugins but ships no header, so that what is used
 * of the interface is declared here.
 * Source: QEMU 7.2 docs/devel/tcg-plugins.rst, plugin interface version 1.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WATCH_MAX = 15, WORDS = 1 + WATCH_MAX };

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
    uint64_t *words; /* the mapped file */
    uint64_t low;
    uint64_t high;
    uint64_t watch[WATCH_MAX];
    size_t watch_count;
} plugin;

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

    (void)id;
    if (address < plugin.low || address >= plugin.high)
        return;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64,
                                             &plugin.words[0], count);
    for (size_t i = 0; i < count; i++)
        watch(qemu_plugin_tb_get_insn(block, i));
}

static uint64_t *map_counters(const char *path)
{
    size_t bytes = WORDS * sizeof(uint64_t);
    int file = open(path, O_RDWR | O_CREAT, 0600);
    void *words;

    if (file < 0 || ftruncate(file, (off_t)bytes) != 0)
        return NULL;
    words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return words == MAP_FAILED ? NULL : words;
}

int qemu_plugin_install(plugin_id id, const struct qemu_info_t *info, int argc,
                        char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=');

        if (!value++)
            return -1;
        if (strncmp(argv[i], "counters=", 9) == 0)
            plugin.words = map_counters(value);
        else if (strncmp(argv[i], "low=", 4) == 0)
            plugin.low = strtoull(value, NULL, 0);
        else if (strncmp(argv[i], "high=", 5) == 0)
            plugin.high = strtoull(value, NULL, 0);
        else if (strncmp(argv[i], "watch=", 6) == 0 &&
                 plugin.watch_count < WATCH_MAX)
            plugin.watch[plugin.watch_count++] = strtoull(value, NULL, 0);
        else
            return -1;
    }
    if (!plugin.words)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
