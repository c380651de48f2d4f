/* Whether a text may say any wording in disguise: `fold` of attribution/brand_fold.py and a look at every place, as
   attribution/brand_index.py does it. */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define SHORT_HEAD 4  /* letters that a place is known by */
#define LONG_HEAD 8   /* the same for wording that has so many */
#define KNOWN_BITS 16 /* of the hash of a head: `known` has a byte for each, with 1 for short heads and 2 for long ones */
#define FEW_LETTERS 8192

/* Whether one of the patterns of a head stands at a place; -1 is an exception. */
static int stands(const unsigned char *at, Py_ssize_t left, Py_ssize_t width, PyObject *patterns)
{
    PyObject *head = PyBytes_FromStringAndSize((const char *)at, width);
    if (!head)
        return -1;
    PyObject *found = PyDict_GetItemWithError(patterns, head);
    Py_DECREF(head);
    if (!found)
        return PyErr_Occurred() ? -1 : 0;
    for (Py_ssize_t which = 0; PyTuple_Check(found) && which < PyTuple_GET_SIZE(found); which++) {
        PyObject *pattern = PyTuple_GET_ITEM(found, which);
        if (PyBytes_Check(pattern) && PyBytes_GET_SIZE(pattern) <= left
            && !memcmp(at, PyBytes_AS_STRING(pattern), (size_t)PyBytes_GET_SIZE(pattern)))
            return 1;
    }
    return 0;
}

/* The letters of a text, folded, no two alike in a row; how many. */
static Py_ssize_t folded(PyObject *text, const unsigned char *table, Py_ssize_t codes, unsigned char *letters)
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
        count += letter && letter != last;
        last = letter ? letter : last;
    }
    return count;
}

/* says_any(text, table, known, patterns) -> bool.

   table: folded byte by code point, the last for all above; known: a byte for each hash of a head; patterns: head ->
   the folded wordings that begin so. */
PyObject *native_says_any(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyUnicode_Check(args[0]) || !PyBytes_Check(args[1]) || !PyBytes_Check(args[2])
        || !PyDict_Check(args[3]) || PyBytes_GET_SIZE(args[1]) < 256 || PyBytes_GET_SIZE(args[2]) != 1 << KNOWN_BITS) {
        PyErr_SetString(PyExc_TypeError, "says_any(str, bytes, bytes, dict)");
        return NULL;
    }
    unsigned char few[FEW_LETTERS + LONG_HEAD];
    Py_ssize_t size = PyUnicode_GET_LENGTH(args[0]);
    unsigned char *letters = size < FEW_LETTERS ? few : PyMem_Malloc((size_t)size + LONG_HEAD + 1);
    if (!letters)
        return PyErr_NoMemory();
    Py_ssize_t left = folded(args[0], (const unsigned char *)PyBytes_AS_STRING(args[1]), PyBytes_GET_SIZE(args[1]), letters);
    const unsigned char *known = (const unsigned char *)PyBytes_AS_STRING(args[2]);
    int says = 0;
    memset(letters + left, 0, LONG_HEAD);
    uint64_t head = 0; /* the letters from here on, the first the lowest */
    for (Py_ssize_t at = 0; at < LONG_HEAD - 1; at++)
        head |= (uint64_t)letters[at] << (8 * at + 8);
    for (Py_ssize_t at = 0; !says && at + SHORT_HEAD <= left; at++) {
        head = head >> 8 | (uint64_t)letters[at + LONG_HEAD - 1] << 56;
        if (known[(uint32_t)head * UINT32_C(0x9E3779B1) >> (32 - KNOWN_BITS)] & 1)
            says = stands(letters + at, left - at, SHORT_HEAD, args[3]);
        if (!says && known[head * UINT64_C(0x9E3779B97F4A7C15) >> (64 - KNOWN_BITS)] & 2 && left - at >= LONG_HEAD)
            says = stands(letters + at, left - at, LONG_HEAD, args[3]);
    }
    if (letters != few)
        PyMem_Free(letters);
    return says < 0 ? NULL : PyBool_FromLong(says);
}
