/* White space of plain text, and addresses with nothing to undo. */

#include "native.h"

#include <string.h>

int is_plain_url(PyObject *value)
{
    if (!PyUnicode_IS_ASCII(value))
        return 0;
    const char *text = (const char *)PyUnicode_1BYTE_DATA(value);
    Py_ssize_t size = PyUnicode_GET_LENGTH(value), at;
    if (size > 2000 || size < 8 || memcmp(text, "http", 4))
        return 0;
    at = text[4] == 's' ? 5 : 4;
    if (size <= at + 3 || memcmp(text + at, "://", 3))
        return 0;
    at += 3;
    Py_ssize_t host = at;
    for (; at < size; at++) {
        char c = text[at];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (at > host && (c == '.' || c == '-'))))
            break;
    }
    if (at == host)
        return 0;
    if (at < size && text[at] != '/' && text[at] != '?' && text[at] != '#')
        return 0;
    for (; at < size; at++) {
        if (text[at] < '!' || text[at] > '~' || text[at] == '\\')
            return 0;
        if (text[at] == '=' && at + 1 < size && text[at + 1] == '3')
            return 0;
    }
    return 1;
}

static int is_blank(Py_UCS4 c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == 0xA0 || c == 0x3000;
}

/* tidy_lines(text): as `message/text.py` says, in one pass. */
PyObject *native_tidy_lines(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "tidy_lines(str)");
        return NULL;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), kept = 0;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    void *out = PyMem_Malloc((size_t)(size + 1) * (size_t)kind);
    if (!out)
        return PyErr_NoMemory();
    int gap = 0, lines = 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, at);
        if (c == '\r') {
            if (at + 1 < size && PyUnicode_READ(kind, data, at + 1) == '\n')
                at++;
            c = '\n';
        }
        if (c == '\n') {
            lines++;
            gap = 0;
        } else if (is_blank(c)) {
            gap = 1;
        } else {
            if (lines && kept) {
                PyUnicode_WRITE(kind, out, kept, '\n');
                kept++;
                if (lines > 1) {
                    PyUnicode_WRITE(kind, out, kept, '\n');
                    kept++;
                }
            } else if (gap && kept) {
                PyUnicode_WRITE(kind, out, kept, ' ');
                kept++;
            }
            lines = gap = 0;
            PyUnicode_WRITE(kind, out, kept, c);
            kept++;
        }
    }
    PyObject *tidied = PyUnicode_FromKindAndData(kind, out, kept);
    PyMem_Free(out);
    return tidied;
}

/* Whether `drop_unseen` of message/text.py would leave out or change a character of this kind. */
static int is_unseen(Py_UCS4 c)
{
    if (c < 0xA0)
        return (c < ' ' && c != '\t' && c != '\n') || c >= 0x7F;
    return c == 0xAD || c == 0x34F || c == 0x180E || c == 0x200B || c == 0x2060 || c == 0xFEFF
           || (c >= 0xD800 && c <= 0xDFFF);
}

/* is_seen(text): whether nothing of a text is to be left out, as `message/text.py` says. */
PyObject *native_is_seen(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "is_seen(str)");
        return NULL;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    int unseen = 0;
    if (kind == PyUnicode_1BYTE_KIND) {
        const Py_UCS1 *bytes = data;
        for (Py_ssize_t at = 0; at < size && !unseen; at++)
            unseen = (bytes[at] < ' ' || bytes[at] >= 0x7F) && is_unseen(bytes[at]);
    } else {
        for (Py_ssize_t at = 0; at < size && !unseen; at++)
            unseen = is_unseen(PyUnicode_READ(kind, data, at));
    }
    return PyBool_FromLong(!unseen);
}
