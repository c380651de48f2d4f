/* Where a text may say wording in disguise: `fold` of attribution/brand/fold.py and a look at every place, as
   attribution/brand/index.py does it. */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define SHORT_HEAD 4  /* letters that a place is known by */
#define LONG_HEAD 8   /* the same for wording that has so many */
#define KNOWN_BITS 16 /* of the hash of a head: `known` has a byte for each, with 1 for short heads and 2 for long ones */
#define FEW_LETTERS 8192
#define SHORT 1 /* a short head has this hash */
#define LONG 2  /* a long one */
#define BEGUN 4 /* the beginning of a long one has the hash of a short one */

/* Whether these are tables: folded letters by code point, hashes of heads, patterns by head. */
static int are_tables(PyObject *const *args)
{
    return PyBytes_Check(args[0]) && PyBytes_Check(args[1]) && PyDict_Check(args[2]) && PyBytes_GET_SIZE(args[0]) >= 256
           && PyBytes_GET_SIZE(args[1]) == 1 << KNOWN_BITS;
}

/* Add to `found` each pattern of a head that stands at a place: (pattern, its place in the letters); 0 is an exception. */
static int stands(const unsigned char *letters, Py_ssize_t at, Py_ssize_t left, Py_ssize_t width, PyObject *patterns,
                  PyObject **found)
{
    PyObject *head = PyBytes_FromStringAndSize((const char *)letters + at, width);
    if (!head)
        return 0;
    PyObject *begun = PyDict_GetItemWithError(patterns, head);
    Py_DECREF(head);
    if (!begun)
        return !PyErr_Occurred();
    for (Py_ssize_t which = 0; PyTuple_Check(begun) && which < PyTuple_GET_SIZE(begun); which++) {
        PyObject *pattern = PyTuple_GET_ITEM(begun, which);
        if (!PyBytes_Check(pattern) || PyBytes_GET_SIZE(pattern) > left - at
            || memcmp(letters + at, PyBytes_AS_STRING(pattern), (size_t)PyBytes_GET_SIZE(pattern)))
            continue;
        if (!*found && !(*found = PyList_New(0)))
            return 0;
        PyObject *place = Py_BuildValue("(On)", pattern, at);
        int added = place && PyList_Append(*found, place) == 0;
        Py_XDECREF(place);
        if (!added)
            return 0;
    }
    return 1;
}

/* Letters of some characters added to those before, no two alike in a row; how many there are then. With `offsets`, where
   each stands in the text. */
ALWAYS_INLINE Py_ssize_t fold_kind(const void *data, int kind, Py_ssize_t from, Py_ssize_t to, const unsigned char *table,
                                   Py_ssize_t codes, unsigned char *letters, Py_ssize_t count, int32_t *offsets)
{
    unsigned char last = count ? letters[count - 1] : 0;
    for (Py_ssize_t at = from; at < to; at++) {
        Py_UCS4 code = PyUnicode_READ(kind, data, at);
        if (kind != PyUnicode_1BYTE_KIND && code >= 0xD800 && code <= 0xDFFF)
            code = '?'; /* as Python writes what cannot be encoded */
        unsigned char letter = table[kind == PyUnicode_1BYTE_KIND || code < codes ? code : codes - 1];
        letters[count] = letter;
        if (offsets)
            offsets[count] = (int32_t)at;
        count += letter && letter != last;
        last = letter ? letter : last;
    }
    return count;
}

static Py_ssize_t fold_part(PyObject *text, Py_ssize_t from, Py_ssize_t to, PyObject *table, unsigned char *letters,
                            Py_ssize_t count, int32_t *offsets)
{
    const unsigned char *byte = (const unsigned char *)PyBytes_AS_STRING(table);
    Py_ssize_t codes = PyBytes_GET_SIZE(table);
    const void *data = PyUnicode_DATA(text);
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        return fold_kind(data, PyUnicode_1BYTE_KIND, from, to, byte, codes, letters, count, offsets);
    if (PyUnicode_KIND(text) == PyUnicode_2BYTE_KIND)
        return fold_kind(data, PyUnicode_2BYTE_KIND, from, to, byte, codes, letters, count, offsets);
    return fold_kind(data, PyUnicode_4BYTE_KIND, from, to, byte, codes, letters, count, offsets);
}

/* Put where their letters stand in the text in place of the places in the letters. */
static int located(PyObject *text, PyObject *table, unsigned char *letters, PyObject *found)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int32_t *offsets = size < INT32_MAX ? PyMem_Malloc(((size_t)size + 1) * sizeof *offsets) : NULL;
    if (!offsets) {
        PyErr_NoMemory();
        return 0;
    }
    fold_part(text, 0, size, table, letters, 0, offsets);
    int done = 1;
    for (Py_ssize_t which = 0; done && which < PyList_GET_SIZE(found); which++) {
        PyObject *place = PyList_GET_ITEM(found, which), *pattern = PyTuple_GET_ITEM(place, 0);
        Py_ssize_t at = PyLong_AsSsize_t(PyTuple_GET_ITEM(place, 1)), count = PyBytes_GET_SIZE(pattern);
        PyObject *spots = PyList_New(count);
        for (Py_ssize_t each = 0; spots && each < count; each++) {
            PyObject *spot = PyLong_FromLong(offsets[at + each]);
            if (!spot)
                Py_CLEAR(spots);
            else
                PyList_SET_ITEM(spots, each, spot);
        }
        PyObject *both = spots ? Py_BuildValue("(ON)", pattern, spots) : NULL;
        done = both != NULL;
        if (done)
            PyList_SetItem(found, which, both);
    }
    PyMem_Free(offsets);
    return done;
}

/* Add to `found` the patterns that stand anywhere in the letters, behind which is room for a head; 0 is an exception. */
static int search(unsigned char *letters, Py_ssize_t left, const unsigned char *known, PyObject *patterns, PyObject **found)
{
    int done = 1;
    memset(letters + left, 0, LONG_HEAD);
    for (Py_ssize_t at = 0; done && at + SHORT_HEAD <= left; at++) {
        uint64_t head; /* the letters from here on, the first the lowest */
        memcpy(&head, letters + at, LONG_HEAD);
        unsigned char begun = known[(uint32_t)head * UINT32_C(0x9E3779B1) >> (32 - KNOWN_BITS)];
        if (begun & SHORT)
            done = stands(letters, at, left, SHORT_HEAD, patterns, found);
        if (begun & BEGUN && done && known[head * UINT64_C(0x9E3779B97F4A7C15) >> (64 - KNOWN_BITS)] & LONG
            && left - at >= LONG_HEAD)
            done = stands(letters, at, left, LONG_HEAD, patterns, found);
    }
    return done;
}

/* wordings_in(text, table, known, patterns) -> list of (pattern, offsets of its letters in the text), or None.

   table: folded byte by code point, the last for all above; known: a byte for each hash of a head; patterns: head ->
   the folded wordings that begin so. */
PyObject *native_wordings_in(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyUnicode_Check(args[0]) || !are_tables(args + 1)) {
        PyErr_SetString(PyExc_TypeError, "wordings_in(str, bytes, bytes, dict)");
        return NULL;
    }
    unsigned char few[FEW_LETTERS + LONG_HEAD];
    Py_ssize_t size = PyUnicode_GET_LENGTH(args[0]);
    unsigned char *letters = size < FEW_LETTERS ? few : PyMem_Malloc((size_t)size + LONG_HEAD + 1);
    if (!letters)
        return PyErr_NoMemory();
    Py_ssize_t left = fold_part(args[0], 0, size, args[1], letters, 0, NULL);
    PyObject *found = NULL;
    int done = search(letters, left, (const unsigned char *)PyBytes_AS_STRING(args[2]), args[3], &found);
    if (done && found)
        done = located(args[0], args[1], letters, found);
    if (letters != few)
        PyMem_Free(letters);
    if (!done) {
        Py_XDECREF(found);
        return NULL;
    }
    if (!found)
        Py_RETURN_NONE;
    return found;
}

/* ---------------------------------------------------------------------------- whether a second look is worth it */

#define MOST_PARTS 3
#define MOST_REPEATS 50 /* as in attribution/brand/said.py */
#define MOST_FINDS 40   /* as in attribution/brand/reading.py */

typedef struct {
    Py_ssize_t from, to;
} Part;

static const char *const MARKS[] = {"\nsubject: ", "\ntext:\n", "\nheader From: ", "\n", "<", "=?"};
enum { SUBJECT, TEXT, FROM, LINE, ADDRESS, ENCODED };

/* Where a mark stands in a part of a text; -1 where it does not, -2 with an error set. */
static Py_ssize_t find(PyObject *text, int mark, Py_ssize_t from, Py_ssize_t to)
{
    static PyObject *marks[ENCODED + 1];
    if (!marks[mark] && !(marks[mark] = PyUnicode_InternFromString(MARKS[mark])))
        return -2;
    return PyUnicode_Find(text, marks[mark], from, to, 1);
}

static Py_ssize_t lesser(Py_ssize_t one, Py_ssize_t other)
{
    return one < other ? one : other;
}

/* What a reader is shown, as `_shown` of attribution/brand/reading.py: the number of parts, 0 where the Python has to say,
   -1 for an exception. */
static int shown(PyObject *text, Py_ssize_t most_chars, Py_ssize_t most_link_chars, Part *parts)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), start = find(text, SUBJECT, 0, size);
    Py_ssize_t body = start < -1 ? -2 : find(text, TEXT, start < 0 ? 0 : start, size);
    if (body < -1)
        return -1;
    if (start < 0 || body < 0) {
        parts[0] = (Part){0, lesser(size, most_chars)};
        return 1;
    }
    int count = 0;
    Py_ssize_t at = find(text, FROM, 0, start);
    if (at >= 0) {
        Py_ssize_t begin = at + (Py_ssize_t)strlen(MARKS[FROM]), end = find(text, LINE, begin, size);
        Py_ssize_t address = end < 0 ? -2 : find(text, ADDRESS, begin, end);
        Py_ssize_t encoded = address < -1 ? -2 : find(text, ENCODED, begin, address < 0 ? end : address);
        if (encoded != -1)
            return PyErr_Occurred() ? -1 : 0;
        parts[count++] = (Part){begin, address < 0 ? end : address};
    } else if (at < -1)
        return -1;
    parts[count++] = (Part){start, lesser(body, start + most_link_chars)};
    parts[count++] = (Part){body, lesser(size, body + most_chars)};
    return count;
}

static int may_be_letter(Py_UCS4 code)
{
    return code >= 128 || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z');
}

/* Whether a part may have a second reading: a stroke between letters, or a mark that turns the line. */
ALWAYS_INLINE int strokes_of(const void *data, int kind, const Part *part)
{
    int some = 0;
    for (Py_ssize_t at = part->from; at < part->to; at++) {
        Py_UCS4 code = PyUnicode_READ(kind, data, at);
        some |= (code == '!') | (code == '|') | (code == 0x202E);
    }
    if (some)
        for (Py_ssize_t at = part->from; at < part->to; at++) {
            Py_UCS4 code = PyUnicode_READ(kind, data, at);
            if (code == 0x202E)
                return 1;
            if ((code == '!' || code == '|') && at > part->from && at + 1 < part->to
                && may_be_letter(PyUnicode_READ(kind, data, at - 1)) && may_be_letter(PyUnicode_READ(kind, data, at + 1)))
                return 1;
        }
    return 0;
}

static int strokes(PyObject *text, const Part *part)
{
    const void *data = PyUnicode_DATA(text);
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        return strokes_of(data, PyUnicode_1BYTE_KIND, part);
    if (PyUnicode_KIND(text) == PyUnicode_2BYTE_KIND)
        return strokes_of(data, PyUnicode_2BYTE_KIND, part);
    return strokes_of(data, PyUnicode_4BYTE_KIND, part);
}

/* Folded letter of a character of a part, 0 for none; beyond the part is none, nor beyond the table, as `is_letter` says. */
static unsigned char letter_at(PyObject *text, PyObject *table, const Part *part, Py_ssize_t at)
{
    if (at < part->from || at >= part->to)
        return 0;
    Py_UCS4 code = PyUnicode_READ_CHAR(text, at);
    return code < PyBytes_GET_SIZE(table) ? (unsigned char)PyBytes_AS_STRING(table)[code] : 0;
}

/* Whether a place is in a line of a link. */
static int in_link(PyObject *text, const Part *part, Py_ssize_t at)
{
    static const char link[] = "link: ";
    while (at > part->from && PyUnicode_READ_CHAR(text, at - 1) != '\n')
        at--;
    for (Py_ssize_t each = 0; link[each]; each++)
        if (at + each >= part->to || PyUnicode_READ_CHAR(text, at + each) != (Py_UCS4)link[each])
            return 0;
    return 1;
}

/* Whether a wording stands as its rule has it: `_stands_plainly`. `how` is (text, letters' place in it, their stretch). */
static int as_it_is(PyObject *text, PyObject *table, const Part *part, Py_ssize_t first, PyObject *how)
{
    PyObject *own = PyTuple_Check(how) && PyTuple_GET_SIZE(how) == 3 ? PyTuple_GET_ITEM(how, 0) : NULL;
    if (!own || !PyUnicode_Check(own))
        return 0;
    Py_ssize_t start = first - PyLong_AsSsize_t(PyTuple_GET_ITEM(how, 1)), size = PyUnicode_GET_LENGTH(own);
    Py_ssize_t high = start + PyLong_AsSsize_t(PyTuple_GET_ITEM(how, 2));
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    if (start < part->from || size > part->to - start || high < first || high >= start + size)
        return 0;
    for (Py_ssize_t at = 0; at < size; at++)
        if (PyUnicode_READ_CHAR(text, start + at) != PyUnicode_READ_CHAR(own, at))
            return 0;
    return !letter_at(text, table, part, first - 1) && !letter_at(text, table, part, high + 1) && !in_link(text, part, first);
}

/* Where the first letter is, of those that were folded to one: `_settle_ends` of attribution/brand/said.py. */
static Py_ssize_t settled(PyObject *text, PyObject *table, const Part *part, const int32_t *spots)
{
    Py_ssize_t first = spots[0], least = spots[1] - MOST_REPEATS > first ? spots[1] - MOST_REPEATS : first;
    for (Py_ssize_t place = spots[1] - 1; place > least; place--)
        if (letter_at(text, table, part, place) == letter_at(text, table, part, first)
            && !letter_at(text, table, part, place - 1))
            return place;
    return first;
}

/* Whether letters from a first to a last one stand amid others, outside of links, so that `Said` refuses them. */
static int within_a_word(PyObject *text, PyObject *table, const Part *part, Py_ssize_t first, Py_ssize_t last)
{
    if (!letter_at(text, table, part, first - 1)) {
        unsigned char after = letter_at(text, table, part, last + 1);
        if (!after || after == letter_at(text, table, part, last))
            return 0;
    }
    return !in_link(text, part, first);
}

/* Whether all that was found is plain, or no wording: so that a second look would find nothing. */
static int nothing_in(PyObject *text, PyObject *table, const Part *parts, int count, const int32_t *offsets, PyObject *found,
                      PyObject *standing)
{
    if (PyList_GET_SIZE(found) > MOST_FINDS) /* each may look back over a whole line */
        return 0;
    for (Py_ssize_t which = 0; which < PyList_GET_SIZE(found); which++) {
        PyObject *place = PyList_GET_ITEM(found, which), *pattern = PyTuple_GET_ITEM(place, 0);
        const int32_t *spots = offsets + PyLong_AsSsize_t(PyTuple_GET_ITEM(place, 1));
        Py_ssize_t size = PyBytes_GET_SIZE(pattern);
        PyObject *ways = PyDict_GetItemWithError(standing, pattern);
        const Part *part = parts;
        while (part < parts + count && !(part->from <= spots[0] && spots[size - 1] < part->to))
            part++;
        if (!ways || !PyTuple_Check(ways) || size < 2 || part == parts + count)
            return 0;
        Py_ssize_t first = settled(text, table, part, spots);
        if (within_a_word(text, table, part, first, spots[size - 1]))
            continue;
        for (Py_ssize_t way = 0; way < PyTuple_GET_SIZE(ways); way++)
            if (!as_it_is(text, table, part, first, PyTuple_GET_ITEM(ways, way)))
                return 0;
    }
    return !PyErr_Occurred();
}

/* may_say(rendering, table, known, patterns, standing, most characters, most of links) -> whether a message may say wording
   in disguise, so that it has to be looked at again. standing: pattern -> how each of its wordings stands in its rule. */
PyObject *native_may_say(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t most = count == 7 ? PyLong_AsSsize_t(args[5]) : -1, most_of_links = count == 7 ? PyLong_AsSsize_t(args[6]) : -1;
    if (count != 7 || !PyUnicode_Check(args[0]) || !are_tables(args + 1) || !PyDict_Check(args[4]) || most < 0
        || most_of_links < 0 || most > FEW_LETTERS * 4 || most_of_links > FEW_LETTERS * 4) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "may_say(str, bytes, bytes, dict, dict, int, int)");
        return NULL;
    }
    Part parts[MOST_PARTS];
    int number = shown(args[0], most, most_of_links, parts);
    Py_ssize_t size = 0;
    for (int part = 0; part < number; part++) {
        if (strokes(args[0], &parts[part]))
            Py_RETURN_TRUE;
        size += parts[part].to - parts[part].from;
    }
    if (number < 0)
        return NULL;
    if (!number || PyUnicode_GET_LENGTH(args[0]) >= INT32_MAX)
        Py_RETURN_TRUE;
    unsigned char few[FEW_LETTERS + LONG_HEAD];
    unsigned char *letters = size < FEW_LETTERS ? few : PyMem_Malloc((size_t)size + LONG_HEAD + 1);
    if (!letters)
        return PyErr_NoMemory();
    Py_ssize_t left = 0;
    for (int part = 0; part < number; part++)
        left = fold_part(args[0], parts[part].from, parts[part].to, args[1], letters, left, NULL);
    PyObject *found = NULL;
    int done = search(letters, left, (const unsigned char *)PyBytes_AS_STRING(args[2]), args[3], &found), nothing = !found;
    if (done && found) {
        int32_t *offsets = PyMem_Malloc(((size_t)size + 1) * sizeof *offsets);
        left = 0;
        for (int part = 0; offsets && part < number; part++)
            left = fold_part(args[0], parts[part].from, parts[part].to, args[1], letters, left, offsets);
        nothing = offsets && nothing_in(args[0], args[1], parts, number, offsets, found, args[4]);
        if (!offsets)
            PyErr_NoMemory();
        PyMem_Free(offsets);
    }
    Py_XDECREF(found);
    if (letters != few)
        PyMem_Free(letters);
    if (PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(!nothing);
}
