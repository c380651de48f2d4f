/* Addresses in plain text, and recipients that trace headers name. */

#define _GNU_SOURCE
#include "native.h"

#include <string.h>

#define URL_CHARS 2000
#define PATH_CHARS 320

typedef struct {
    int kind;
    const void *data;
    Py_ssize_t size;
} Text;

static Text text_of(PyObject *value)
{
    return (Text){PyUnicode_KIND(value), PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value)};
}

static Py_UCS4 at_of(const Text *text, Py_ssize_t at) { return PyUnicode_READ(text->kind, text->data, at); }

static Py_UCS4 lower(Py_UCS4 c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* Whether ASCII letters in lower case stand at a place, in any letter case. */
static int stands(const Text *text, Py_ssize_t at, const char *wanted)
{
    for (; *wanted; wanted++, at++)
        if (at >= text->size || lower(at_of(text, at)) != (Py_UCS4)*wanted)
            return 0;
    return 1;
}

/* Whether an address begins at a place. */
static int begins(const Text *text, Py_ssize_t at)
{
    Py_UCS4 c = at_of(text, at);
    if (c == 'h' || c == 'H')
        return stands(text, at, "http") && (stands(text, at + 4, "://") || stands(text, at + 4, "s://"));
    if (c != 'w' && c != 'W')
        return 0;
    if (at + 3 >= text->size || at_of(text, at + 1) != c || at_of(text, at + 2) != c || at_of(text, at + 3) != '.')
        return 0;
    if (!at)
        return 1;
    Py_UCS4 before = at_of(text, at - 1);
    if (before < 0x80 && strchr("/.@-_=", (int)before) && before)
        return 0;
    return !Py_UNICODE_ISALNUM(before);
}

/* `_TEXT_END` of message/url.py. */
static int ends(Py_UCS4 c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F)
               || (c && strchr("<>\"'`{}|\\^", (int)c) != NULL);
    return Py_UNICODE_ISSPACE(c) || c == 0xFF1E || c == 0x201C || c == 0x201D || c == 0x3002 || c == 0xFF0C;
}

/* Brackets that are closed more often than opened. */
static Py_ssize_t unopened(const Text *text, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t count = 0;
    for (; start < end; start++)
        count += (at_of(text, start) == ')') - (at_of(text, start) == '(');
    return count;
}

/* Where an address ends when punctuation that closes a sentence is left out. */
static Py_ssize_t trimmed(const Text *text, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t closing = -1; /* brackets that it has not opened; -1: not counted yet */
    for (; end > start; end--) {
        Py_UCS4 c = at_of(text, end - 1);
        if (!c || c >= 0x80 || !strchr(".,;:!?*'\")]}>", (int)c))
            break;
        if (c == ')' && closing < 0)
            closing = unopened(text, start, end);
        if (c == ')' && closing-- <= 0)
            break;
    }
    return end;
}

/* One address, cleaned; NULL with an error set. */
static PyObject *cleaned(PyObject *text, Py_ssize_t start, Py_ssize_t end, PyObject *clean)
{
    PyObject *raw = PyUnicode_Substring(text, start, end);
    if (!raw)
        return NULL;
    PyObject *url = NULL;
    if (PyUnicode_IS_ASCII(raw) && !strstr((const char *)PyUnicode_1BYTE_DATA(raw), "&amp;"))
        url = plain_url(raw);
    if (!url && !PyErr_Occurred())
        url = PyObject_CallOneArg(clean, raw);
    Py_DECREF(raw);
    if (url && !PyUnicode_Check(url)) {
        Py_DECREF(url);
        PyErr_SetString(PyExc_TypeError, "clean(str) -> str");
        return NULL;
    }
    return url;
}

/* urls_in_text(text, clean) -> [str]; `clean` is given each address that is not plain. */
PyObject *native_urls_in_text(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "urls_in_text(str, function)");
        return NULL;
    }
    PyObject *found = PyList_New(0);
    if (!found)
        return NULL;
    Text text = text_of(args[0]);
    static const char STARTS[256] = {['h'] = 1, ['H'] = 1, ['w'] = 1, ['W'] = 1};
    for (Py_ssize_t at = 0; at < text.size;) {
        if (text.kind == PyUnicode_1BYTE_KIND) {
            const Py_UCS1 *bytes = text.data;
            while (at < text.size && !STARTS[bytes[at]])
                at++;
            if (at == text.size)
                break;
        }
        if (!begins(&text, at)) {
            at++;
            continue;
        }
        Py_ssize_t end = at, most = at + URL_CHARS < text.size ? at + URL_CHARS : text.size;
        while (end < most && !ends(at_of(&text, end)))
            end++;
        PyObject *url = cleaned(args[0], at, trimmed(&text, at, end), args[1]);
        if (!url || (PyUnicode_GET_LENGTH(url) && PyList_Append(found, url) < 0)) {
            Py_XDECREF(url);
            Py_DECREF(found);
            return NULL;
        }
        Py_DECREF(url);
        at = end > at ? end : at + 1;
    }
    return found;
}

static int in_path(Py_UCS4 c, int at_sign)
{
    if (c < 0x80)
        return !(c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) || c == '<' || c == '>' || c == ';'
                 || c == '(' || c == ')' || (at_sign && c == '@'));
    return !Py_UNICODE_ISSPACE(c);
}

/* Add the recipient that stands at a place: `_PATH` of observation/redact.py. */
static int add_path(PyObject *value, const Text *text, Py_ssize_t at, PyObject *found)
{
    while (at < text->size && Py_UNICODE_ISSPACE(at_of(text, at)))
        at++;
    if (at < text->size && at_of(text, at) == '<')
        at++;
    Py_ssize_t end = at;
    while (end < text->size && end - at <= PATH_CHARS && in_path(at_of(text, end), 1))
        end++;
    if (end == at || end - at > PATH_CHARS || end >= text->size || at_of(text, end) != '@')
        return 0;
    Py_ssize_t domain = ++end;
    while (end < text->size && end - domain < PATH_CHARS && in_path(at_of(text, end), 0))
        end++;
    if (end == domain)
        return 0;
    PyObject *path = PyUnicode_Substring(value, at, end);
    int failed = !path || PyList_Append(found, path) < 0;
    Py_XDECREF(path);
    return failed ? -1 : 0;
}

static int add_paths(PyObject *value, const char *mark, PyObject *found)
{
    Text text = text_of(value);
    Py_ssize_t length = (Py_ssize_t)strlen(mark), last = text.size - length;
    for (Py_ssize_t at = 0; at <= last; at++) {
        if (text.kind == PyUnicode_1BYTE_KIND) {
            const char *from = (const char *)text.data + at;
            const char *next = memchr(from, mark[0], (size_t)(last - at + 1));
            if (!next)
                return 0;
            at += next - from;
            if (memcmp(next, mark, (size_t)length))
                continue;
        } else {
            Py_ssize_t same = 0;
            while (same < length && at_of(&text, at + same) == (Py_UCS4)mark[same])
                same++;
            if (same < length)
                continue;
        }
        at += length;
        if (add_path(value, &text, at, found) < 0)
            return -1;
        at--;
    }
    return 0;
}

/* recipient_paths([value of a Received header]) -> [str]: those that `_paths` of observation/redact.py gives. */
PyObject *native_recipient_paths(PyObject *Py_UNUSED(module), PyObject *values)
{
    if (!PyList_Check(values)) {
        PyErr_SetString(PyExc_TypeError, "recipient_paths(list)");
        return NULL;
    }
    PyObject *found = PyList_New(0);
    for (Py_ssize_t which = 0; found && which < PyList_GET_SIZE(values); which++) {
        PyObject *value = PyList_GET_ITEM(values, which);
        if (!PyUnicode_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "recipient_paths: a list of str");
            Py_CLEAR(found);
        } else if (add_paths(value, " for ", found) < 0 || add_paths(value, "rfc822;", found) < 0) {
            Py_CLEAR(found);
        }
    }
    return found;
}

/* link_authorities(links) -> [authority | (rest of a link that may carry another,)] | None where a link has more than
   ASCII; authorities that repeat the one before are left out. */
PyObject *native_link_authorities(PyObject *Py_UNUSED(module), PyObject *links)
{
    if (!PyTuple_Check(links)) {
        PyErr_SetString(PyExc_TypeError, "link_authorities(tuple)");
        return NULL;
    }
    PyObject *found = PyList_New(0);
    if (!found)
        return NULL;
    const char *last = NULL;
    Py_ssize_t last_size = 0;
    for (Py_ssize_t which = 0; which < PyTuple_GET_SIZE(links); which++) {
        PyObject *link = PyTuple_GET_ITEM(links, which);
        if (!PyUnicode_Check(link) || !PyUnicode_IS_ASCII(link)) {
            Py_DECREF(found);
            Py_RETURN_NONE;
        }
        const char *text = (const char *)PyUnicode_1BYTE_DATA(link);
        int begin = !strncmp(text, "http://", 7) ? 7 : !strncmp(text, "https://", 8) ? 8 : 0;
        if (!begin)
            continue;
        const char *rest = text + begin, *end = text + PyUnicode_GET_LENGTH(link), *at = rest;
        while (at < end && *at != '/' && *at != '?' && *at != '#' && *at != '\\')
            at++;
        PyObject *one;
        if (!last || at - rest != last_size || memcmp(rest, last, (size_t)last_size)) {
            last = rest;
            last_size = at - rest;
            one = PyUnicode_DecodeASCII(rest, last_size, NULL);
            if (!one || PyList_Append(found, one) < 0) {
                Py_XDECREF(one);
                Py_DECREF(found);
                return NULL;
            }
            Py_DECREF(one);
        }
        if (memmem(rest, (size_t)(end - rest), "http", 4) || memmem(rest, (size_t)(end - rest), "HTTP", 4)) {
            one = Py_BuildValue("(N)", PyUnicode_DecodeASCII(rest, end - rest, NULL));
            if (!one || PyList_Append(found, one) < 0) {
                Py_XDECREF(one);
                Py_DECREF(found);
                return NULL;
            }
            Py_DECREF(one);
        }
    }
    return found;
}
