/*
 * kernel/cmdline.h - the one parser of the kernel's command line.
 *
 * Words are separated by spaces; "double quotes" keep spaces together. A word
 * `--key=value` or `--key` must be registered by somebody; any other word is
 * an argument of the program, and so is every word after `--`. An unknown key,
 * a missing or malformed value or a repeated key is an error that names the
 * word and says what would be right: nothing is guessed.
 */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include "kernel/base.h"

enum { CMDLINE_BYTES_MAX = 4096, CMDLINE_WORDS_MAX = 128 };

/*
 * Read `text` (without quotes, zero-terminated) into `out`.
 * Returns: false when it is malformed; `out` is then unchanged.
 */
typedef bool cmdline_parse_fn(const char *text, void *out);

/* One key that somebody understands: a text that is parsed, a number (of
 * decimal digits, from min to max), or a flag. */
struct cmdline_key {
    const char *name;        /* without the dashes: "ipv4" */
    const char *value_name;  /* "ADDRESS/PREFIX"; null: the key is a flag */
    const char *example;     /* "10.0.0.2/24": what would be right */
    const char *help;        /* one line for --help */
    cmdline_parse_fn *parse; /* null for a number and for a flag */
    void *out;         /* where parse writes; a uint32_t for a number, a bool */
    bool *given;       /* set to true when the key was there; may be null */
    uint32_t min, max; /* of a number: both may be given */
};

struct cmdline_table {
    const struct cmdline_key *keys;
    size_t count;
};

enum cmdline_status {
    CMDLINE_OK,
    CMDLINE_HELP, /* --help was there: the help has been written */
    CMDLINE_BAD   /* an error has been written, naming the word */
};

/* The words that are the program's own; argv[0] is its name. */
struct cmdline_args {
    int argc;
    char *argv[CMDLINE_WORDS_MAX + 2]; /* ends with a null pointer */
};

/*
 * Parse `line` against several tables of keys.
 *
 * line:    zero-terminated, changed in place; argv points into it, so it must
 *          stay. Longer than CMDLINE_BYTES_MAX - 1 is an error.
 * name:    the program's name, argv[0].
 * tables:  no two keys of all tables may have the same name.
 * write:   called with whole lines for the user (the error, or the help).
 * args:    filled in on CMDLINE_OK. After an error the keys before it have
 *          been written to their `out`.
 * Blocks:  never.
 */
MUST_CHECK enum cmdline_status cmdline_parse(char *line, char *name,
                                             const struct cmdline_table *tables,
                                             size_t table_count,
                                             void (*write)(const char *text),
                                             struct cmdline_args *args);

/* Parsers that keys of several modules need. */
cmdline_parse_fn cmdline_parse_text;    /* out: const char *, stays valid */
cmdline_parse_fn cmdline_parse_seconds; /* "1.5"; out: uint64_t microseconds */

#endif
