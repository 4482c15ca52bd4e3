/*
 * kernel/cmdline.c - the one parser of the kernel's command line.
 *
 * First the line is cut into words, then --help is looked for, then every
 * word is taken in its order. The first error ends it: one clear message is
 * worth more than a list.
 */
#include "kernel/cmdline.h"

#include <string.h>

#include "kernel/format.h"

enum {
    MESSAGE_BYTES = 512,
    SHOWN_BYTES = 60, /* of a word in a message; words may be long */
    NAME_BYTES_MAX = 32,
    RANGE_BYTES = 32, /* "4294967295 to 4294967295, " */
    DISTANCE_MAX = 2, /* typing errors within which a key is suggested */
    FRACTION_DIGITS_MAX = 6
};

/* One call of cmdline_parse(), for the functions that it consists of. */
struct parser {
    const struct cmdline_table *tables;
    size_t table_count;
    void (*write)(const char *text);
    struct cmdline_args *args;
    const struct cmdline_key *seen[CMDLINE_WORDS_MAX];
    size_t seen_count;
};

static void PRINTF_LIKE(2, 3)
    say(const struct parser *parser, const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    format_text_va(text, sizeof(text), format, args);
    va_end(args);
    parser->write(text);
}

/* What a loader hands over may hold anything: a console need not see it. */
static const char *printable(const char *word, char shown[SHOWN_BYTES + 4])
{
    size_t length = 0;

    for (; length < SHOWN_BYTES && word[length]; length++)
        shown[length] =
            word[length] < ' ' || word[length] > '~' ? '?' : word[length];
    strcpy(shown + length, word[length] ? "..." : "");
    return shown;
}

/* --- values ---------------------------------------------------------------*/

/* Read decimal digits, at least one. Returns: where they end, or null. */
static const char *take_decimal(const char *text, uint64_t max, uint64_t *value)
{
    const char *c = text;

    for (*value = 0; *c >= '0' && *c <= '9'; c++) {
        unsigned digit = (unsigned)(*c - '0');

        if (*value > (max - digit) / 10)
            return NULL;
        *value = *value * 10 + digit;
    }
    return c == text ? NULL : c;
}

static bool parse_number(const struct cmdline_key *key, const char *text)
{
    uint64_t value;
    const char *end = take_decimal(text, UINT32_MAX, &value);

    if (!end || *end || value < key->min || value > key->max)
        return false;
    *(uint32_t *)key->out = (uint32_t)value;
    return true;
}

static bool parse_value(const struct cmdline_key *key, const char *text)
{
    return key->parse ? key->parse(text, key->out) : parse_number(key, text);
}

/* Of a number "1 to 65535, ", of anything else nothing. */
static const char *range_of(const struct cmdline_key *key,
                            char text[RANGE_BYTES])
{
    text[0] = '\0';
    if (!key->parse)
        format_text(text, RANGE_BYTES, "%u to %u, ", (unsigned)key->min,
                    (unsigned)key->max);
    return text;
}

/* --- words ----------------------------------------------------------------*/

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Move the word at *from to *to without its quotes, and end it with a zero.
 * Returns: false when a quote is not closed.
 */
static bool take_word(char **from, char **to)
{
    char *in = *from, *out = *to;
    bool quoted = false;

    for (; *in && (quoted || !is_space(*in)); in++) {
        if (*in == '"')
            quoted = !quoted;
        else
            *out++ = *in;
    }
    *from = *in ? in + 1 : in; /* before the zero below may hide the space */
    *out++ = '\0';
    *to = out;
    return !quoted;
}

/* Cut `line` in place into words[]. Returns: false when an error was said. */
static bool split(const struct parser *parser, char *line,
                  char *words[CMDLINE_WORDS_MAX], size_t *count)
{
    char shown[SHOWN_BYTES + 4];
    char *from = line, *to = line;

    *count = 0;
    if (strnlen(line, CMDLINE_BYTES_MAX) == CMDLINE_BYTES_MAX) {
        say(parser, "the command line is longer than %d bytes\n",
            CMDLINE_BYTES_MAX - 1);
        return false;
    }
    for (;;) {
        while (is_space(*from))
            from++;
        if (!*from)
            return true;
        if (*count == CMDLINE_WORDS_MAX) {
            say(parser, "the command line has more than %d words\n",
                CMDLINE_WORDS_MAX);
            return false;
        }
        words[*count] = to;
        if (!take_word(&from, &to)) {
            say(parser, "%s: a quote (\") is not closed\n",
                printable(words[*count], shown));
            return false;
        }
        ++*count;
    }
}

/* --- keys -----------------------------------------------------------------*/

/* The number-th key of all tables; null after the last. */
static const struct cmdline_key *key_at(const struct parser *parser,
                                        size_t number)
{
    for (size_t i = 0; i < parser->table_count; i++) {
        if (number < parser->tables[i].count)
            return &parser->tables[i].keys[number];
        number -= parser->tables[i].count;
    }
    return NULL;
}

static const struct cmdline_key *find_key(const struct parser *parser,
                                          const char *name, size_t name_length)
{
    const struct cmdline_key *key;

    for (size_t i = 0; (key = key_at(parser, i)); i++)
        if (strlen(key->name) == name_length &&
            memcmp(key->name, name, name_length) == 0)
            return key;
    return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance: letters to insert, drop or replace. */
static size_t distance(const char *a, size_t a_length, const char *b)
{
    size_t row[NAME_BYTES_MAX + 1];
    size_t b_length = strlen(b);

    if (a_length > NAME_BYTES_MAX || b_length > NAME_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
        }
    }
    return row[b_length];
}

static void say_unknown(const struct parser *parser, const char *name,
                        size_t name_length)
{
    char shown[SHOWN_BYTES + 4];
    const struct cmdline_key *key, *nearest = NULL;
    size_t nearest_distance = DISTANCE_MAX + 1;

    for (size_t i = 0; (key = key_at(parser, i)); i++) {
        size_t d = distance(name, name_length, key->name);

        /* Two letters of three would be another word. */
        if (d < nearest_distance && 2 * d <= name_length) {
            nearest = key;
            nearest_distance = d;
        }
    }
    printable(name, shown);
    if (name_length < SHOWN_BYTES)
        shown[name_length] = '\0'; /* without the value */
    if (nearest)
        say(parser,
            "--%s: no such key (did you mean --%s?; --help lists them)\n",
            shown, nearest->name);
    else
        say(parser, "--%s: no such key (--help lists them)\n", shown);
}

/* Remember that `key` was there. Returns: false when it was there before. */
static bool see(struct parser *parser, const struct cmdline_key *key)
{
    for (size_t i = 0; i < parser->seen_count; i++)
        if (parser->seen[i] == key)
            return false;
    parser->seen[parser->seen_count++] = key;
    return true;
}

static bool take_flag(const struct parser *parser,
                      const struct cmdline_key *key, const char *value)
{
    if (value) {
        say(parser, "--%s: takes no value\n", key->name);
        return false;
    }
    *(bool *)key->out = true;
    return true;
}

static bool take_value(const struct parser *parser,
                       const struct cmdline_key *key, const char *value)
{
    char shown[SHOWN_BYTES + 4], range[RANGE_BYTES];

    if (!value || !*value) {
        say(parser, "--%s: a value is missing: expected --%s=%s (%sas in %s)\n",
            key->name, key->name, key->value_name, range_of(key, range),
            key->example);
        return false;
    }
    if (!parse_value(key, value)) {
        say(parser,
            "--%s: \"%s\" is malformed: expected %s (%sas in %s)\n"
            "      %s\n",
            key->name, printable(value, shown), key->value_name,
            range_of(key, range), key->example, key->help);
        return false;
    }
    return true;
}

/* Take a word that began with dashes; `word` is what follows them. */
static bool take_key(struct parser *parser, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t name_length = equals ? (size_t)(equals - word) : strlen(word);
    const char *value = equals ? equals + 1 : NULL;
    const struct cmdline_key *key = find_key(parser, word, name_length);

    if (!key) {
        say_unknown(parser, word, name_length);
        return false;
    }
    if (!see(parser, key)) {
        say(parser, "--%s: is there twice\n", key->name);
        return false;
    }
    if (!(key->value_name ? take_value(parser, key, value)
                          : take_flag(parser, key, value)))
        return false;
    if (key->given)
        *key->given = true;
    return true;
}

/* --- help -----------------------------------------------------------------*/

/* A line for the key and one for what it does: neither is wide. */
static void say_key(const struct parser *parser, const struct cmdline_key *key)
{
    char range[RANGE_BYTES];

    if (key->value_name)
        say(parser, "  --%s=%s (%sas in %s)\n      %s\n", key->name,
            key->value_name, range_of(key, range), key->example, key->help);
    else
        say(parser, "  --%s\n      %s\n", key->name, key->help);
}

static void say_help(const struct parser *parser, const char *name)
{
    const struct cmdline_key *key;

    say(parser, "usage: %s [--KEY[=VALUE]]... [ARGUMENT]...\n", name);
    for (size_t i = 0; (key = key_at(parser, i)); i++)
        say_key(parser, key);
    say(parser, "  --help\n      shows this, and ends\n");
}

/* Somebody who asks for help gets it, whatever else is wrong. */
static bool asks_for_help(char *const words[], size_t count)
{
    for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0)
            return true;
    return false;
}

/* --- the whole ------------------------------------------------------------*/

/* A key of two tables would go to the first, and nobody would notice. */
static void check_tables(const struct parser *parser)
{
    const struct cmdline_key *key;

    for (size_t i = 0; (key = key_at(parser, i)); i++) {
        ASSERT(find_key(parser, key->name, strlen(key->name)) == key);
        if (key->given)
            *key->given = false;
    }
}

enum cmdline_status cmdline_parse(char *line, char *name,
                                  const struct cmdline_table *tables,
                                  size_t table_count,
                                  void (*write)(const char *text),
                                  struct cmdline_args *args)
{
    struct parser parser = {
        .tables = tables, .table_count = table_count, .write = write};
    char *words[CMDLINE_WORDS_MAX];
    size_t count;
    bool keys_ended = false;

    check_tables(&parser);
    if (!split(&parser, line, words, &count))
        return CMDLINE_BAD;
    if (asks_for_help(words, count)) {
        say_help(&parser, name);
        return CMDLINE_HELP;
    }
    *args = (struct cmdline_args){.argc = 1, .argv = {name}};
    for (size_t i = 0; i < count; i++) {
        if (keys_ended || strncmp(words[i], "--", 2) != 0)
            args->argv[args->argc++] = words[i];
        else if (words[i][2] == '\0')
            keys_ended = true;
        else if (!take_key(&parser, words[i] + 2))
            return CMDLINE_BAD;
    }
    return CMDLINE_OK;
}

/* --- parsers that keys of several modules need ----------------------------*/

bool cmdline_parse_text(const char *text, void *out)
{
    *(const char **)out = text;
    return true;
}

bool cmdline_parse_seconds(const char *text, void *out)
{
    uint64_t seconds, us = 0;
    const char *end = take_decimal(text, UINT64_MAX / 1000000u - 1, &seconds);

    if (!end)
        return false;
    if (*end == '.') {
        const char *fraction = end + 1;

        end = take_decimal(fraction, 999999, &us);
        if (!end || end - fraction > FRACTION_DIGITS_MAX)
            return false;
        for (long i = end - fraction; i < FRACTION_DIGITS_MAX; i++)
            us *= 10;
    }
    if (*end)
        return false;
    *(uint64_t *)out = seconds * 1000000u + us;
    return true;
}
