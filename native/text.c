/* White space of plain text, and addresses with nothing to undo. */

#include "native.h"

#include <string.h>

#define STRETCH 32

static int is_plain_url(PyObject *value)
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

static int is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static char to_lower(char c) { return is_upper(c) ? (char)(c + 32) : c; }

static int begins_as(const char *text, Py_ssize_t size, const char *wanted)
{
    for (; *wanted; wanted++, text++, size--)
        if (!size || to_lower(*text) != *wanted)
            return 0;
    return 1;
}

#define URL_BYTES 1900 /* well below URL_CHARS of message/url.py */

PyObject *plain_url(PyObject *value)
{
    if (is_plain_url(value))
        return Py_NewRef(value);
    if (!PyUnicode_IS_ASCII(value))
        return NULL;
    const char *text = (const char *)PyUnicode_1BYTE_DATA(value);
    Py_ssize_t size = PyUnicode_GET_LENGTH(value);
    if (!size || size > URL_BYTES)
        return NULL;
    for (Py_ssize_t at = 0; at < size; at++) /* a byte behind the text is a zero */
        if (text[at] <= ' ' || text[at] > '~' || text[at] == '\\' || (text[at] == '=' && text[at + 1] == '3'))
            return NULL;
    const char *scheme = "http";
    Py_ssize_t host = 0;
    if (begins_as(text, size, "http:") || begins_as(text, size, "https:")) {
        scheme = text[4] == ':' ? "http" : "https";
        host = (Py_ssize_t)strlen(scheme) + 3;
        if (text[host - 2] != '/' || text[host - 1] != '/' || text[host] == '/')
            return NULL;
    } else if (!begins_as(text, size, "www.")) {
        return PyUnicode_New(0, 0);
    }
    Py_ssize_t end = host;
    while (end < size && text[end] != '/' && text[end] != '?' && text[end] != '#')
        if (text[end++] == '@')
            return NULL;
    Py_ssize_t path = end;
    while (end > host && text[end - 1] == '.')
        end--;
    if (end == host || text[host] == '.' || text[host] == ':' || text[host] == '-')
        return PyUnicode_New(0, 0);
    char clean[URL_BYTES + 16];
    Py_ssize_t kept = (Py_ssize_t)strlen(scheme);
    memcpy(clean, scheme, (size_t)kept);
    memcpy(clean + kept, "://", 3);
    for (kept += 3; host < end; host++)
        clean[kept++] = to_lower(text[host]);
    memcpy(clean + kept, text + path, (size_t)(size - path));
    return PyUnicode_DecodeASCII(clean, kept + size - path, NULL);
}

static int is_blank(Py_UCS4 c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == 0xA0 || c == 0x3000;
}

/* What is written before a character that is no white space, after what stood since the last one; how much. */
static int joint(Py_ssize_t kept, Py_ssize_t lines, int gap, char *out)
{
    out[0] = lines ? '\n' : ' ';
    out[1] = '\n';
    return !kept ? 0 : lines ? (lines > 1 ? 2 : 1) : gap;
}

/* Tidied text of characters of one byte, in whole runs. */
static Py_ssize_t tidy_bytes(const unsigned char *text, Py_ssize_t size, char *out)
{
    static const unsigned char WHITE[256] = {[' '] = 1, ['\t'] = 1, ['\f'] = 1, ['\v'] = 1, [0xA0] = 1, ['\r'] = 1, ['\n'] = 1};
    Py_ssize_t kept = 0;
    for (Py_ssize_t at = 0; at < size;) {
        Py_ssize_t lines = 0;
        int gap = 0;
        for (; at < size && WHITE[text[at]]; at++) {
            if (text[at] == '\n' || text[at] == '\r')
                lines++;
            else
                gap = 1;
            if (text[at] == '\r' && at + 1 < size && text[at + 1] == '\n')
                at++;
        }
        if (at == size)
            break;
        kept += joint(kept, lines, gap, out + kept);
        Py_ssize_t from = at;
        while (at < size) {
            if (!WHITE[text[at]])
                at++;
            else if ((text[at] == ' ' || text[at] == '\n') && at + 1 < size && !WHITE[text[at + 1]])
                at += 2; /* tidy as it is */
            else
                break;
        }
        memcpy(out + kept, text + from, (size_t)(at - from));
        kept += at - from;
    }
    return kept;
}

/* The same of wider characters. */
static Py_ssize_t tidy_wide(int kind, const void *data, Py_ssize_t size, void *out)
{
    Py_ssize_t kept = 0, lines = 0;
    int gap = 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, at);
        if (c == '\r' || c == '\n') {
            if (c == '\r' && at + 1 < size && PyUnicode_READ(kind, data, at + 1) == '\n')
                at++;
            lines++;
        } else if (is_blank(c)) {
            gap = 1;
        } else {
            char between[2];
            int count = joint(kept, lines, gap, between);
            for (int which = 0; which < count; which++)
                PyUnicode_WRITE(kind, out, kept++, (Py_UCS1)between[which]);
            PyUnicode_WRITE(kind, out, kept++, c);
            lines = gap = 0;
        }
    }
    return kept;
}

/* tidy_lines(text): as `message/text.py` says, in one pass. */
PyObject *native_tidy_lines(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "tidy_lines(str)");
        return NULL;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    void *out = PyMem_Malloc((size_t)(size + 2) * (size_t)kind);
    if (!out)
        return PyErr_NoMemory();
    Py_ssize_t kept = kind == PyUnicode_1BYTE_KIND ? tidy_bytes(data, size, out) : tidy_wide(kind, data, size, out);
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
        Py_ssize_t at = 0;
        for (; size - at >= STRETCH && !unseen; at += STRETCH) {
            unsigned char odd = 0; /* most stretches hold nothing odd; this loop is done in wide registers */
            for (int next = 0; next < STRETCH; next++)
                odd |= (bytes[at + next] < ' ') & (bytes[at + next] != '\n') | (bytes[at + next] >= 0x7F);
            for (int next = 0; odd && next < STRETCH; next++)
                unseen |= is_unseen(bytes[at + next]);
        }
        for (; at < size && !unseen; at++)
            unseen = is_unseen(bytes[at]);
    } else {
        for (Py_ssize_t at = 0; at < size && !unseen; at++)
            unseen = is_unseen(PyUnicode_READ(kind, data, at));
    }
    return PyBool_FromLong(!unseen);
}

/* is_spaced(text): whether no character is of a script that puts no spaces between words: `_UNSPACED` of
   campaign/folding.py. */
PyObject *native_is_spaced(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "is_spaced(str)");
        return NULL;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text), unspaced = 0;
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t at = 0; kind != PyUnicode_1BYTE_KIND && at < size && !unspaced; at++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, at);
        unspaced = c >= 0xE00
                   && (c <= 0xE7F || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF));
    }
    return PyBool_FromLong(!unspaced);
}
