/* Where a text may say wording in disguise: `fold` of attribution/brand/fold.py and a look at every place, as
   attribution/brand/index.py does it. */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define SHORT_HEAD 4  /* letters that a place is known by */
#define LONG_HEAD 8   /* the same for wording that has so many */
#define KNOWN_BITS 16 /* of the hash of a head: `known` has a byte for each, with 1 for short heads and 2 for long ones */
#define FEW_LETTERS 8192

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

/* The letters of a text, folded, no two alike in a row; how many. With `offsets`, where each stands in the text. */
static Py_ssize_t folded(PyObject *text, const unsigned char *table, Py_ssize_t codes, unsigned char *letters, int32_t *offsets)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), count = 0;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    unsigned char last = 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        Py_UCS4 code = PyUnicode_READ(kind, data, at);
        if (code >= 0xD800 && code <= 0xDFFF)
            code = '?'; /* as Python writes what cannot be encoded */
        unsigned char letter = table[code < codes ? code : codes - 1];
        letters[count] = letter;
        if (offsets)
            offsets[count] = (int32_t)at;
        count += letter && letter != last;
        last = letter ? letter : last;
    }
    return count;
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
    folded(text, (const unsigned char *)PyBytes_AS_STRING(table), PyBytes_GET_SIZE(table), letters, offsets);
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

/* wordings_in(text, table, known, patterns) -> list of (pattern, offsets of its letters in the text), or None.

   table: folded byte by code point, the last for all above; known: a byte for each hash of a head; patterns: head ->
   the folded wordings that begin so. */
PyObject *native_wordings_in(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyUnicode_Check(args[0]) || !PyBytes_Check(args[1]) || !PyBytes_Check(args[2])
        || !PyDict_Check(args[3]) || PyBytes_GET_SIZE(args[1]) < 256 || PyBytes_GET_SIZE(args[2]) != 1 << KNOWN_BITS) {
        PyErr_SetString(PyExc_TypeError, "wordings_in(str, bytes, bytes, dict)");
        return NULL;
    }
    unsigned char few[FEW_LETTERS + LONG_HEAD];
    Py_ssize_t size = PyUnicode_GET_LENGTH(args[0]);
    unsigned char *letters = size < FEW_LETTERS ? few : PyMem_Malloc((size_t)size + LONG_HEAD + 1);
    if (!letters)
        return PyErr_NoMemory();
    Py_ssize_t left = folded(args[0], (const unsigned char *)PyBytes_AS_STRING(args[1]), PyBytes_GET_SIZE(args[1]), letters, NULL);
    const unsigned char *known = (const unsigned char *)PyBytes_AS_STRING(args[2]);
    PyObject *found = NULL;
    int done = 1;
    memset(letters + left, 0, LONG_HEAD);
    uint64_t head = 0; /* the letters from here on, the first the lowest */
    for (Py_ssize_t at = 0; at < LONG_HEAD - 1; at++)
        head |= (uint64_t)letters[at] << (8 * at + 8);
    for (Py_ssize_t at = 0; done && at + SHORT_HEAD <= left; at++) {
        head = head >> 8 | (uint64_t)letters[at + LONG_HEAD - 1] << 56;
        if (known[(uint32_t)head * UINT32_C(0x9E3779B1) >> (32 - KNOWN_BITS)] & 1)
            done = stands(letters, at, left, SHORT_HEAD, args[3], &found);
        if (done && known[head * UINT64_C(0x9E3779B97F4A7C15) >> (64 - KNOWN_BITS)] & 2 && left - at >= LONG_HEAD)
            done = stands(letters, at, left, LONG_HEAD, args[3], &found);
    }
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
