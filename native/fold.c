/* Subject and visible text to comparable bytes: `fold` of campaign/folding.py, where both are ASCII. */

#define _GNU_SOURCE
#include "native.h"

#include <string.h>

#define TEXT_BYTES 4000   /* as TEXT_CHARS there */
#define HEAD_BYTES 300    /* as GREETING_CHARS there */
#define SUBJECT_BYTES 4000
#define TOKEN "rcpt."

static int is_ascii(const char *at, Py_ssize_t size)
{
    unsigned char any = 0;
    for (Py_ssize_t byte = 0; byte < size; byte++)
        any |= (unsigned char)at[byte];
    return any < 0x80;
}

static int is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Write a space for each token that stands for a recipient, with the host behind it; the new size. */
static Py_ssize_t without_tokens(char *text, Py_ssize_t size)
{
    const char *end = text + size, *at = text;
    char *out = text;
    const char *found;
    while ((found = memmem(at, (size_t)(end - at), TOKEN, sizeof TOKEN - 1))) {
        const char *digits = found + sizeof TOKEN - 1, *last = digits;
        while (last < end && ((*last >= '0' && *last <= '9') || (*last >= 'a' && *last <= 'f')))
            last++;
        if (last == digits) { /* a word of the sender's */
            memmove(out, at, (size_t)(digits - at));
            out += digits - at;
            at = digits;
            continue;
        }
        memmove(out, at, (size_t)(found - at));
        out += found - at;
        *out++ = ' ';
        at = last;
        if (last + 1 < end && *last == '@' && (is_word(last[1]) || last[1] == '.' || last[1] == '-'))
            for (at = last + 2; at < end && (is_word(*at) || *at == '.' || *at == '-');)
                at++;
    }
    memmove(out, at, (size_t)(end - at));
    return out + (end - at) - text;
}

/* Whether a line of the head, in lower case, begins with the first two letters of a greeting. */
static int may_greet(const char *head, Py_ssize_t size, const char *pairs, Py_ssize_t count)
{
    const char *end = head + size, *at = head;
    while (at < end) {
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (end - at >= 2)
            for (Py_ssize_t pair = 0; pair + 1 < count; pair += 2)
                if (at[0] == pairs[pair] && at[1] == pairs[pair + 1])
                    return 1;
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return 0;
        at++;
    }
    return 0;
}

/* fold(subject, rendering, pairs, without) -> bytes | None where there is more than ASCII */
PyObject *native_fold(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyUnicode_Check(args[0]) || !PyUnicode_Check(args[1]) || !PyBytes_Check(args[2])
        || !PyCallable_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "fold(str, str, bytes, callable)");
        return NULL;
    }
    if (!PyUnicode_IS_ASCII(args[0]))
        Py_RETURN_NONE;
    const char *subject = (const char *)PyUnicode_1BYTE_DATA(args[0]);
    Py_ssize_t subject_size = PyUnicode_GET_LENGTH(args[0]), size;
    const char *rendering = PyUnicode_AsUTF8AndSize(args[1], &size);
    if (!rendering) { /* lone surrogates */
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    Py_ssize_t cut = subject_size + HEAD_BYTES;
    subject_size = subject_size < SUBJECT_BYTES ? subject_size : SUBJECT_BYTES;
    const char *end = rendering + size, *text = memmem(rendering, (size_t)size, "\ntext:", 6);
    text = text ? text + 6 : end;
    Py_ssize_t text_size = end - text < TEXT_BYTES ? end - text : TEXT_BYTES;
    if (!is_ascii(text, text_size))
        Py_RETURN_NONE;
    while (text_size && space_at(text, text + text_size)) {
        text++;
        text_size--;
    }
    Py_ssize_t whole = subject_size + 1 + text_size;
    char *folded = PyMem_Malloc((size_t)whole + 1);
    if (!folded)
        return PyErr_NoMemory();
    memcpy(folded, subject, (size_t)subject_size);
    folded[subject_size] = '\n';
    memcpy(folded + subject_size + 1, text, (size_t)text_size);
    whole = without_tokens(folded, whole);
    cut = cut < whole ? cut : whole;
    for (Py_ssize_t at = 0; at < cut; at++)
        if (folded[at] >= 'A' && folded[at] <= 'Z')
            folded[at] += 'a' - 'A';
    PyObject *result = NULL;
    if (may_greet(folded, cut, PyBytes_AS_STRING(args[2]), PyBytes_GET_SIZE(args[2]))) {
        PyObject *head = PyUnicode_DecodeASCII(folded, cut, NULL);
        PyObject *left = head ? PyObject_CallOneArg(args[3], head) : NULL;
        Py_XDECREF(head);
        Py_ssize_t left_size = 0;
        const char *bytes = left ? PyUnicode_AsUTF8AndSize(left, &left_size) : NULL;
        result = bytes ? PyBytes_FromStringAndSize(NULL, left_size + whole - cut) : NULL;
        if (result) {
            memcpy(PyBytes_AS_STRING(result), bytes, (size_t)left_size);
            memcpy(PyBytes_AS_STRING(result) + left_size, folded + cut, (size_t)(whole - cut));
        }
        Py_XDECREF(left);
    } else {
        result = PyBytes_FromStringAndSize(folded, whole);
    }
    PyMem_Free(folded);
    return result;
}
