/*
 * kernel/log_levels.c - the text of --logs.
 */
#include "kernel/log.h"

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

static bool is_text(const char *name, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (name[i] != text[i]) /* a shorter name differs by its zero */
            return false;
    }
    return name[length] == 0;
}

static bool parse_level(const char *text, size_t length, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (is_text(level_names[i], text, length)) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* The place of a module: its own, or a new one, or null when all are taken. */
static enum log_level *place_of(struct log_levels *levels, const char *module,
                                size_t length)
{
    for (size_t i = 0; i < levels->count; i++) {
        if (is_text(levels->named[i].module, module, length))
            return &levels->named[i].level;
    }
    if (levels->count == LOG_MODULES_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++)
        levels->named[levels->count].module[i] = module[i];
    levels->named[levels->count].module[length] = 0;
    return &levels->named[levels->count++].level;
}

/* A name can be typed, and be shown. */
static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return length > 0 && length < LOG_MODULE_BYTES;
}

/* One of the words between commas: LEVEL or MODULE:LEVEL. */
static bool parse_word(const char *word, size_t length,
                       struct log_levels *levels)
{
    enum log_level *place = &levels->others;
    enum log_level level;
    size_t colon = 0;

    while (colon < length && word[colon] != ':')
        colon++;
    if (colon == length)
        return parse_level(word, length, place);
    if (!is_name(word, colon) ||
        !parse_level(word + colon + 1, length - colon - 1, &level))
        return false;
    place = place_of(levels, word, colon);
    if (!place)
        return false;
    *place = level;
    return true;
}

bool log_levels_parse(const char *text, void *out)
{
    struct log_levels *result = out;
    struct log_levels levels = *result;
    const char *word = text;

    for (;;) {
        size_t length = 0;

        while (word[length] && word[length] != ',')
            length++;
        if (!parse_word(word, length, &levels))
            return false;
        if (!word[length])
            break;
        word += length + 1;
    }
    *result = levels;
    return true;
}
