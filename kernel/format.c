/*
 * kernel/format.c - printf's formats, the part that log lines need.
 *
 * Source: ISO C11 7.21.6.1.
 */
#include "kernel/format.h"

enum {
    DIGITS_MAX = 20,     /* of 2^64 - 1 in decimal */
    WIDTH_MAX = 1000000, /* wider is cut; no text is that long */
    NO_PRECISION = -1
};

struct sink {
    char *out;
    size_t room; /* without the final zero */
    size_t length;
};

/* What stands between a % and the letter of its conversion. */
struct spec {
    bool left;
    bool zero;
    int width;
    int precision;
    bool is_long; /* l, ll and z are all 64 bits here */
};

static void put(struct sink *sink, char c)
{
    if (sink->length < sink->room)
        sink->out[sink->length++] = c;
}

/* Bounded by what still fits, whatever `count` is. */
static void pad(struct sink *sink, char c, size_t count)
{
    size_t left = sink->room - sink->length;

    for (size_t i = 0; i < (count < left ? count : left); i++)
        put(sink, c);
}

/* `body` after `prefix`, padded to the width: the one way out for all. */
static void put_field(struct sink *sink, const struct spec *spec,
                      const char *prefix, const char *body, size_t body_length)
{
    size_t length = body_length;
    size_t fill;

    for (const char *c = prefix; *c; c++)
        length++;
    fill = length < (size_t)spec->width ? (size_t)spec->width - length : 0;
    if (!spec->left && !spec->zero)
        pad(sink, ' ', fill);
    for (; *prefix; prefix++)
        put(sink, *prefix);
    if (!spec->left && spec->zero)
        pad(sink, '0', fill);
    for (size_t i = 0; i < body_length; i++)
        put(sink, body[i]);
    if (spec->left)
        pad(sink, ' ', fill);
}

static void put_number(struct sink *sink, const struct spec *spec,
                       const char *prefix, uint64_t value, unsigned base)
{
    char digits[DIGITS_MAX];
    char *first = digits + DIGITS_MAX;

    do {
        *--first = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0); /* at most DIGITS_MAX times: base is 10 or 16 */
    put_field(sink, spec, prefix, first, (size_t)(digits + DIGITS_MAX - first));
}

static void put_text(struct sink *sink, struct spec *spec, const char *text)
{
    size_t length = 0;

    if (!text)
        text = "(null)";
    while ((spec->precision < 0 || length < (size_t)spec->precision) &&
           text[length])
        length++;
    spec->zero = false;
    put_field(sink, spec, "", text, length);
}

/* Read digits. Returns: where they end. */
static const char *take_digits(const char *format, int *value)
{
    for (*value = 0; *format >= '0' && *format <= '9'; format++)
        if (*value < WIDTH_MAX)
            *value = *value * 10 + (*format - '0');
    return format;
}

/*
 * The arguments, so that functions can pass them on by address: a va_list as
 * a parameter is a pointer on this machine, and `&args` would be another type.
 */
struct arguments {
    va_list list;
};

/* A number in the format, or an argument where a `*` stands. */
static const char *take_size(const char *format, struct arguments *args,
                             int *value)
{
    if (*format != '*')
        return take_digits(format, value);
    *value = va_arg(args->list, int);
    return format + 1;
}

/* Read what follows a %. Returns: the letter of the conversion. */
static const char *take_spec(const char *format, struct arguments *args,
                             struct spec *spec)
{
    *spec = (struct spec){.precision = NO_PRECISION};
    for (; *format == '-' || *format == '0'; format++) {
        spec->left |= *format == '-';
        spec->zero |= *format == '0';
    }
    format = take_size(format, args, &spec->width);
    if (spec->width < 0) { /* of a `*`: means left-justified */
        spec->left = true;
        spec->width = spec->width < -WIDTH_MAX ? WIDTH_MAX : -spec->width;
    }
    if (*format == '.')
        format = take_size(format + 1, args, &spec->precision);
    for (; *format == 'l' || *format == 'z'; format++)
        spec->is_long = true;
    return format;
}

static void put_signed(struct sink *sink, const struct spec *spec,
                       int64_t value)
{
    if (value < 0)
        put_number(sink, spec, "-", 0 - (uint64_t)value, 10);
    else
        put_number(sink, spec, "", (uint64_t)value, 10);
}

/* Returns: false when `letter` is no conversion that is known. */
static bool convert(struct sink *sink, char letter, struct spec *spec,
                    struct arguments *args)
{
    char one;

    switch (letter) {
    case 'd':
    case 'i':
        put_signed(sink, spec,
                   spec->is_long ? va_arg(args->list, int64_t)
                                 : va_arg(args->list, int));
        return true;
    case 'u':
    case 'x':
        put_number(sink, spec, "",
                   spec->is_long ? va_arg(args->list, uint64_t)
                                 : va_arg(args->list, unsigned),
                   letter == 'u' ? 10 : 16);
        return true;
    case 'p':
        put_number(sink, spec, "0x", (uintptr_t)va_arg(args->list, void *), 16);
        return true;
    case 's':
        put_text(sink, spec, va_arg(args->list, const char *));
        return true;
    case 'c':
        one = (char)va_arg(args->list, int);
        spec->zero = false;
        put_field(sink, spec, "", &one, 1);
        return true;
    case '%':
        put(sink, '%');
        return true;
    default:
        return false;
    }
}

size_t format_text_va(char *out, size_t bytes, const char *format, va_list list)
{
    struct sink sink = {.out = out, .room = bytes ? bytes - 1 : 0};
    struct arguments args;
    struct spec spec;

    if (bytes == 0)
        return 0;
    va_copy(args.list, list);
    while (*format) {
        const char *percent = format;

        if (*format != '%') {
            put(&sink, *format++);
            continue;
        }
        format = take_spec(format + 1, &args, &spec);
        if (!convert(&sink, *format, &spec, &args)) {
            /* The arguments cannot be told apart any more. */
            while (*percent)
                put(&sink, *percent++);
            break;
        }
        format++;
    }
    va_end(args.list);
    out[sink.length] = '\0';
    return sink.length;
}

size_t format_text(char *out, size_t bytes, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = format_text_va(out, bytes, format, args);
    va_end(args);
    return length;
}
