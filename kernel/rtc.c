/*
 * kernel/rtc.c - the battery-backed clock of a PC.
 */
#include "kernel/rtc.h"

#include "kernel/port.h"

enum { PORT_INDEX = 0x70, PORT_DATA = 0x71, NMI_OFF = 0x80 };

enum {
    REGISTER_SECOND = 0x00,
    REGISTER_MINUTE = 0x02,
    REGISTER_HOUR = 0x04,
    REGISTER_DAY = 0x07,
    REGISTER_MONTH = 0x08,
    REGISTER_YEAR = 0x09,
    REGISTER_A = 0x0a,
    REGISTER_B = 0x0b,
    A_UPDATING = 0x80,
    B_24_HOURS = 0x02,
    B_BINARY = 0x04,
    HOUR_PM = 0x80
};

enum {
    POLLS_MAX = 10000, /* an update takes 2 ms, a read about 1 us */
    READS_MAX = 5,
    FIELDS = 6
};

/* Second, minute, hour, day, month, year of the century; as read. */
static const uint8_t FIELD_REGISTERS[FIELDS] = {
    REGISTER_SECOND, REGISTER_MINUTE, REGISTER_HOUR,
    REGISTER_DAY,    REGISTER_MONTH,  REGISTER_YEAR,
};

static uint8_t get(uint8_t index)
{
    port_write8(PORT_INDEX, NMI_OFF | index);
    return port_read8(PORT_DATA);
}

static void read_fields(unsigned fields[FIELDS])
{
    for (unsigned i = 0; i < POLLS_MAX && (get(REGISTER_A) & A_UPDATING); i++)
        ;
    for (unsigned i = 0; i < FIELDS; i++)
        fields[i] = get(FIELD_REGISTERS[i]);
}

/* An update may begin between two fields, so only two equal reads count. */
static bool read_stable(unsigned fields[FIELDS])
{
    unsigned again[FIELDS];

    read_fields(fields);
    for (unsigned tries = 0; tries < READS_MAX; tries++) {
        bool same = true;

        read_fields(again);
        for (unsigned i = 0; i < FIELDS; i++) {
            same = same && fields[i] == again[i];
            fields[i] = again[i];
        }
        if (same)
            return true;
    }
    return false;
}

static void decode(unsigned fields[FIELDS])
{
    uint8_t mode = get(REGISTER_B);
    bool pm = !(mode & B_24_HOURS) && (fields[2] & HOUR_PM);

    if (pm)
        fields[2] &= ~(unsigned)HOUR_PM;
    for (unsigned i = 0; i < FIELDS && !(mode & B_BINARY); i++)
        fields[i] = (fields[i] >> 4) * 10 + (fields[i] & 0x0f);
    if (!(mode & B_24_HOURS))
        fields[2] = fields[2] % 12 + (pm ? 12 : 0);
}

/* Days since 1970-01-01 of a day of the Gregorian calendar, from 2000 on. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    static const uint16_t before[] = {0,   31,  59,  90,  120, 151,
                                      181, 212, 243, 273, 304, 334};
    unsigned since_2000 = year - 2000;
    uint64_t leap_days = since_2000 ? (since_2000 - 1) / 4 + 1 : 0;
    bool leap = since_2000 % 4 == 0; /* 2000 was one; 2100 is out of range */

    return 10957 + since_2000 * 365 + leap_days + before[month - 1] +
           (leap && month > 2) + day - 1;
}

uint64_t rtc_seconds(void)
{
    unsigned f[FIELDS];

    if (!read_stable(f))
        return 0;
    decode(f);
    if (f[0] > 59 || f[1] > 59 || f[2] > 23 || f[3] < 1 || f[3] > 31 ||
        f[4] < 1 || f[4] > 12 || f[5] > 99)
        return 0;
    return days_since_1970(2000 + f[5], f[4], f[3]) * 86400 + f[2] * 3600 +
           f[1] * 60 + f[0];
}
