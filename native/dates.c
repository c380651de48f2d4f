/* Dates in the form that nearly all mail has: 'Wed, 03 Nov 2010 08:15:30 +0300', the day's name or not. */

#include "native.h"

#include <datetime.h>

#define FIRST_YEAR 1991 /* within these every instant is believed, whatever its zone: _SURELY of observation/when.py */
#define LAST_YEAR 2098
#define MOST_MINUTES (24 * 60)

typedef struct {
    const char *at, *end;
} Reader;

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* A number of `fewest` to `most` digits; -1 where there is none. */
static int number(Reader *reader, int fewest, int most)
{
    int value = 0, digits = 0;
    for (; digits < most && reader->at < reader->end && is_digit(*reader->at); digits++)
        value = 10 * value + (*reader->at++ - '0');
    return digits >= fewest ? value : -1;
}

static int one(Reader *reader, char wanted)
{
    if (reader->at == reader->end || *reader->at != wanted)
        return 0;
    reader->at++;
    return 1;
}

/* 1 to 12; 0 where no month stands. */
static int month(Reader *reader)
{
    static const char NAMES[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (reader->end - reader->at < 3)
        return 0;
    for (int which = 0; which < 12; which++) {
        int same = 0;
        while (same < 3 && (reader->at[same] | 0x20) == NAMES[3 * which + same])
            same++;
        if (same == 3) {
            reader->at += 3;
            return which + 1;
        }
    }
    return 0;
}

/* Days since 0000-03-01 of a civil date and back, by Howard Hinnant's published algorithms. */
static long days_of(long year, int month_, int day)
{
    year -= month_ <= 2;
    long era = year / 400, of_era = year - era * 400;
    long of_year = (153 * (month_ + (month_ > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
}

static void civil_of(long days, int *year, int *month_, int *day)
{
    long era = days / 146097, of_era = days - era * 146097;
    long years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long of_year = of_era - (365 * years + years / 4 - years / 100);
    long shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month_ = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(years + era * 400 + (*month_ <= 2));
}

static int days_in(int year, int month_)
{
    static const char DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return DAYS[month_ - 1] + (month_ == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* read_date(value) -> (datetime in UTC, zone) | None where it has another form. */
PyObject *native_read_date(PyObject *Py_UNUSED(module), PyObject *value)
{
    if (!PyDateTimeAPI)
        PyDateTime_IMPORT;
    if (!PyDateTimeAPI || !PyUnicode_Check(value)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "read_date(str)");
        return NULL;
    }
    if (!PyUnicode_IS_ASCII(value) || PyUnicode_GET_LENGTH(value) > 100)
        Py_RETURN_NONE;
    const char *text = (const char *)PyUnicode_1BYTE_DATA(value);
    Reader reader = {text, text + PyUnicode_GET_LENGTH(value)};
    while (one(&reader, ' '))
        ;
    if (reader.end - reader.at > 5 && is_letter(reader.at[0]) && is_letter(reader.at[1]) && is_letter(reader.at[2])
        && reader.at[3] == ',' && reader.at[4] == ' ')
        reader.at += 5;
    while (one(&reader, ' '))
        ;
    int day = number(&reader, 1, 2), spaced = one(&reader, ' ');
    int month_ = month(&reader), spaced_too = one(&reader, ' ');
    int year = number(&reader, 4, 4), spaced_again = one(&reader, ' ');
    int hour = number(&reader, 1, 2), colon = one(&reader, ':');
    int minute = number(&reader, 2, 2), colon_too = one(&reader, ':');
    int second = number(&reader, 2, 2), last = one(&reader, ' ');
    const char *zone = reader.at;
    int west = one(&reader, '-'), signed_ = west || one(&reader, '+');
    int east_hours = number(&reader, 2, 2), east_minutes = number(&reader, 2, 2);
    if (!(spaced && month_ && spaced_too && spaced_again && colon && colon_too && last && signed_) || day < 1
        || year < FIRST_YEAR || year > LAST_YEAR || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0
        || east_hours < 0 || east_minutes < 0 || day > days_in(year, month_))
        Py_RETURN_NONE;
    int east = 60 * east_hours + east_minutes;
    if (east > MOST_MINUTES)
        east = 0; /* no place has such a zone */
    long minutes = 60 * hour + minute + (west ? east : -east), days = days_of(year, month_, day);
    for (; minutes < 0; days--)
        minutes += MOST_MINUTES;
    for (; minutes >= MOST_MINUTES; days++)
        minutes -= MOST_MINUTES;
    civil_of(days, &year, &month_, &day);
    PyObject *at = PyDateTimeAPI->DateTime_FromDateAndTime(
        year, month_, day, (int)(minutes / 60), (int)(minutes % 60), second > 59 ? 59 : second, 0, PyDateTime_TimeZone_UTC,
        PyDateTimeAPI->DateTimeType);
    if (!at)
        return NULL;
    return Py_BuildValue("(Ns#)", at, zone, (Py_ssize_t)5);
}
