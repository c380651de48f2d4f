/* The lines of an observation as one text in UTF-8: joined_lines and drop_controls of observation/rendering.py;
   and identifiers as shapes: observation/template.py. */

#include "native.h"

#include <string.h>

#define STRETCH 32

typedef struct {
    char *out;
    Py_ssize_t size;
} Text;

/* Add a string without control characters; line ends stay or become spaces. -1: it holds a lone surrogate. */
static int put_string(Text *text, PyObject *string, int lines)
{
    Py_ssize_t size;
    const char *from = PyUnicode_AsUTF8AndSize(string, &size);
    if (!from)
        return -1;
    char *to = text->out + text->size;
    unsigned char whole = lines ? '\n' : ' ';
    for (Py_ssize_t at = 0; at < size; at++) {
        Py_ssize_t stop = at + STRETCH < size ? at + STRETCH : size;
        if (stop == at + STRETCH) {
            unsigned char odd = 0; /* most stretches hold nothing odd; this loop is done in wide registers */
            for (int next = 0; next < STRETCH; next++) {
                unsigned char c = (unsigned char)from[at + next];
                odd |= ((c < ' ') & (c != whole)) | (c == 127) | (c == 0xC2);
            }
            if (!odd) {
                memcpy(to, from + at, STRETCH);
                to += STRETCH;
                at = stop - 1;
                continue;
            }
        }
        for (; at < stop; at++) {
            unsigned char c = (unsigned char)from[at];
            if ((c >= ' ' && c != 127 && c != 0xC2) || c == '\t') {
                *to++ = (char)c;
            } else if (c == '\n') {
                *to++ = (char)whole;
            } else if (c == 0xC2) {
                if (at + 1 < size && (unsigned char)from[at + 1] < 0xA0)
                    at++; /* a control character of Latin-1 */
                else
                    *to++ = (char)c;
            }
        }
        at--;
    }
    text->size = to - text->out;
    return 0;
}

static void put_bytes(Text *text, const char *bytes)
{
    size_t size = strlen(bytes);
    memcpy(text->out + text->size, bytes, size);
    text->size += (Py_ssize_t)size;
}

/* Most bytes that the strings of a list can take, a line end after each; -1 where one is no string. */
static Py_ssize_t room_of(PyObject *list)
{
    Py_ssize_t room = 0;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(list); at++) {
        PyObject *string = PyList_GET_ITEM(list, at);
        if (!PyUnicode_Check(string)) {
            PyErr_SetString(PyExc_TypeError, "a line is no string");
            return -1;
        }
        Py_ssize_t wide = PyUnicode_IS_ASCII(string) ? 1 : 1 + PyUnicode_KIND(string);
        room += wide * PyUnicode_GET_LENGTH(string) + 1;
    }
    return room;
}

static int put_lines(Text *text, PyObject *list)
{
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(list); at++) {
        if (put_string(text, PyList_GET_ITEM(list, at), 0))
            return -1;
        text->out[text->size++] = '\n';
    }
    return 0;
}

/* Whether the header lines, 'name: value', are within the bounds on one and on all of them. */
static int headers_fit(PyObject *names, PyObject *values, Py_ssize_t most, Py_ssize_t most_of_all)
{
    Py_ssize_t all = 0;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(names); at++) {
        PyObject *name = PyList_GET_ITEM(names, at), *value = PyList_GET_ITEM(values, at);
        if (!PyUnicode_Check(name) || !PyUnicode_Check(value))
            return 0;
        Py_ssize_t size = PyUnicode_GET_LENGTH(name) + PyUnicode_GET_LENGTH(value) + 2;
        all += size;
        if (size > most || all > most_of_all)
            return 0;
    }
    return 1;
}

static int put_headers(Text *text, PyObject *names, PyObject *values)
{
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(names); at++) {
        put_bytes(text, "header ");
        if (put_string(text, PyList_GET_ITEM(names, at), 0))
            return -1;
        put_bytes(text, ": ");
        if (put_string(text, PyList_GET_ITEM(values, at), 0))
            return -1;
        text->out[text->size++] = '\n';
    }
    return 0;
}

/* render(above, names, values, below, text, most, most_of_all) -> bytes | None: lines, header fields, lines, and the
   text. None where a string holds a lone surrogate, or a header line or all of them hold more characters. */
PyObject *native_render(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    int fits = count == 7 && PyUnicode_Check(args[4]) && PyLong_Check(args[5]) && PyLong_Check(args[6]);
    for (int at = 0; fits && at < 4; at++)
        fits = PyList_Check(args[at]);
    if (!fits || PyList_GET_SIZE(args[1]) != PyList_GET_SIZE(args[2])) {
        PyErr_SetString(PyExc_TypeError, "render(list, list, list, list, str, int, int)");
        return NULL;
    }
    Py_ssize_t most = PyLong_AsSsize_t(args[5]), most_of_all = PyLong_AsSsize_t(args[6]);
    if (PyErr_Occurred())
        return NULL;
    if (!headers_fit(args[1], args[2], most, most_of_all))
        Py_RETURN_NONE;
    Py_ssize_t room = 4 * PyUnicode_GET_LENGTH(args[4]) + 10 * PyList_GET_SIZE(args[1]) + 1;
    if (PyUnicode_IS_ASCII(args[4]))
        room -= 3 * PyUnicode_GET_LENGTH(args[4]);
    for (int at = 0; at < 4; at++) {
        Py_ssize_t more = room_of(args[at]);
        if (more < 0)
            return NULL;
        room += more;
    }
    Text text = {PyMem_Malloc((size_t)room), 0};
    if (!text.out)
        return PyErr_NoMemory();
    PyObject *result = NULL;
    if (!put_lines(&text, args[0]) && !put_headers(&text, args[1], args[2]) && !put_lines(&text, args[3])
        && !put_string(&text, args[4], 1)) {
        result = PyBytes_FromStringAndSize(text.out, text.size);
    } else if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        result = Py_NewRef(Py_None);
    }
    PyMem_Free(text.out);
    return result;
}

/* ---- shapes */

enum { DIGIT = 1, SMALL = 2, LARGE = 4, NO_HEX = 8 };

static int kind_of(char c)
{
    if (c >= '0' && c <= '9')
        return DIGIT;
    if (c >= 'a' && c <= 'z')
        return SMALL | (c > 'f' ? NO_HEX : 0);
    if (c >= 'A' && c <= 'Z')
        return LARGE | (c > 'F' ? NO_HEX : 0);
    return 0;
}

static char class_of(int kinds, Py_ssize_t size)
{
    int letters = kinds & (SMALL | LARGE);
    if (!letters)
        return '9';
    if (letters == (SMALL | LARGE))
        return 'w';
    if (!(kinds & DIGIT))
        return letters == SMALL ? 'a' : 'A';
    if (!(kinds & NO_HEX) && size >= 6)
        return letters == SMALL ? 'h' : 'H';
    return letters == SMALL ? 'x' : 'X';
}

/* shape(text, literals, sized) -> str | None where the text is not ASCII. */
PyObject *native_shape(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyUnicode_Check(args[0]) || !PyAnySet_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "shape(str, set, bool)");
        return NULL;
    }
    int sized = PyObject_IsTrue(args[2]);
    if (sized < 0)
        return NULL;
    if (!PyUnicode_IS_ASCII(args[0]))
        Py_RETURN_NONE;
    const char *text = (const char *)PyUnicode_1BYTE_DATA(args[0]);
    Py_ssize_t size = PyUnicode_GET_LENGTH(args[0]), written = 0;
    char *out = PyMem_Malloc(4 * (size_t)size + 32); /* a run of two is the one that grows most: 'a{2}' */
    if (!out)
        return PyErr_NoMemory();
    for (Py_ssize_t at = 0; at < size;) {
        Py_ssize_t start = at;
        int kinds = kind_of(text[at]);
        char shown;
        if (kinds) {
            while (++at < size && kind_of(text[at]))
                kinds |= kind_of(text[at]);
            PyObject *run = PyUnicode_FromStringAndSize(text + start, at - start);
            int literal = run ? PySet_Contains(args[1], run) : -1;
            Py_XDECREF(run);
            if (literal < 0) {
                PyMem_Free(out);
                return NULL;
            }
            if (literal) {
                memcpy(out + written, text + start, (size_t)(at - start));
                written += at - start;
                continue;
            }
            shown = class_of(kinds, at - start);
            out[written++] = shown;
            if (!sized || at - start == 1)
                continue;
        } else {
            while (++at < size && text[at] == text[start])
                ;
            if (!sized || at - start < 3) {
                memcpy(out + written, text + start, (size_t)(at - start));
                written += at - start;
                continue;
            }
            out[written++] = text[start];
        }
        written += PyOS_snprintf(out + written, 24, "{%zd}", at - start);
    }
    PyObject *shape = PyUnicode_FromStringAndSize(out, written);
    PyMem_Free(out);
    return shape;
}
