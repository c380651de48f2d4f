/* Recipients' addresses out of a text: `Redactor.in_bytes` of observation/redact.py, for few recipients. */

#define _GNU_SOURCE
#include "native.h"

#include <string.h>

#define PLACES_AT_FIRST 64

typedef struct {
    Py_ssize_t at;     /* where the domain stands */
    Py_ssize_t domain; /* its length */
    Py_ssize_t begin;  /* where the local part begins */
    PyObject *token;   /* borrowed */
} Place;

typedef struct {
    Place *places;
    Py_ssize_t count, room;
} Found;

static const char *const LONGER[] = {"%40", "%2540", "=40", "%3d", "%253d", "&#64;", "&#x40;"};

static int may_end_separator(char c) { return c == '@' || c == '=' || c == '0' || c == 'd' || c == ';'; }

/* Where the local part before a separator that ends at `at` ends; -1 where no separator does. */
static Py_ssize_t local_end(const char *lower, Py_ssize_t at)
{
    if (lower[at - 1] == '@' || lower[at - 1] == '=')
        return at - 1;
    for (size_t which = 0; which < sizeof LONGER / sizeof *LONGER; which++) {
        Py_ssize_t size = (Py_ssize_t)strlen(LONGER[which]);
        if (at >= size && !memcmp(lower + at - size, LONGER[which], (size_t)size))
            return at - size;
    }
    return -1;
}

static int order(const void *left, const void *right)
{
    const Place *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->domain != b->domain)
        return a->domain > b->domain ? -1 : 1;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

static int find_domain(const char *lower, Py_ssize_t size, PyObject *domain, PyObject *locals, Found *found)
{
    const char *wanted = PyBytes_AS_STRING(domain);
    Py_ssize_t length = PyBytes_GET_SIZE(domain);
    const char *end = lower + size;
    const char *at = lower;
    while (end - at > length && (at = memmem(at + 1, (size_t)(end - at - 1), wanted, (size_t)length))) {
        if (!may_end_separator(at[-1]))
            continue;
        Py_ssize_t stop = local_end(lower, at - lower);
        for (Py_ssize_t which = 0; which < PyTuple_GET_SIZE(locals); which++) { /* the longest first */
            PyObject *pair = PyTuple_GET_ITEM(locals, which);
            PyObject *local = PyTuple_GET_ITEM(pair, 0);
            Py_ssize_t begin = stop - PyBytes_GET_SIZE(local);
            if (begin < 0 || memcmp(lower + begin, PyBytes_AS_STRING(local), (size_t)PyBytes_GET_SIZE(local)))
                continue;
            if (found->count == found->room) {
                Py_ssize_t room = found->room ? 2 * found->room : PLACES_AT_FIRST;
                Place *more = PyMem_Realloc(found->places, (size_t)room * sizeof *more);
                if (!more) {
                    PyErr_NoMemory();
                    return -1;
                }
                found->places = more;
                found->room = room;
            }
            found->places[found->count++] = (Place){at - lower, length, begin, PyTuple_GET_ITEM(pair, 1)};
            break;
        }
    }
    return 0;
}

/* The data with every place's address replaced by its token; places in order, the first of two that overlap. */
static PyObject *replaced(PyObject *data, const Found *found)
{
    const char *bytes = PyBytes_AS_STRING(data);
    Py_ssize_t size = PyBytes_GET_SIZE(data), room = size;
    for (Py_ssize_t which = 0; which < found->count; which++)
        room += PyBytes_GET_SIZE(found->places[which].token);
    PyObject *result = PyBytes_FromStringAndSize(NULL, room);
    if (!result)
        return NULL;
    char *out = PyBytes_AS_STRING(result);
    Py_ssize_t done = 0, written = 0;
    for (Py_ssize_t which = 0; which < found->count; which++) {
        const Place *place = &found->places[which];
        if (place->begin < done)
            continue;
        memcpy(out + written, bytes + done, (size_t)(place->begin - done));
        written += place->begin - done;
        Py_ssize_t token = PyBytes_GET_SIZE(place->token);
        memcpy(out + written, PyBytes_AS_STRING(place->token), (size_t)token);
        written += token;
        done = place->at + place->domain;
    }
    memcpy(out + written, bytes + done, (size_t)(size - done));
    written += size - done;
    return _PyBytes_Resize(&result, written) ? NULL : result;
}

static int checked(PyObject *domains)
{
    if (!PyDict_Check(domains))
        return 0;
    PyObject *domain, *locals;
    for (Py_ssize_t place = 0; PyDict_Next(domains, &place, &domain, &locals);) {
        if (!PyBytes_Check(domain) || !PyTuple_Check(locals))
            return 0;
        for (Py_ssize_t which = 0; which < PyTuple_GET_SIZE(locals); which++) {
            PyObject *pair = PyTuple_GET_ITEM(locals, which);
            if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyBytes_Check(PyTuple_GET_ITEM(pair, 0))
                || !PyBytes_Check(PyTuple_GET_ITEM(pair, 1)))
                return 0;
        }
    }
    return 1;
}

/* redact(data, {domain: ((local part, token), ...)}) -> bytes; domains and local parts in lower case, of the local
   parts the longest first. */
PyObject *native_redact(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[0]) || !checked(args[1])) {
        PyErr_SetString(PyExc_TypeError, "redact(bytes, dict)");
        return NULL;
    }
    PyObject *data = args[0];
    const char *bytes = PyBytes_AS_STRING(data);
    Py_ssize_t size = PyBytes_GET_SIZE(data);
    char *lower = PyMem_Malloc((size_t)size + 1);
    if (!lower)
        return PyErr_NoMemory();
    for (Py_ssize_t at = 0; at < size; at++)
        lower[at] = bytes[at] >= 'A' && bytes[at] <= 'Z' ? (char)(bytes[at] + 32) : bytes[at];
    Found found = {NULL, 0, 0};
    int failed = 0;
    PyObject *domain, *locals, *result = NULL;
    for (Py_ssize_t place = 0; !failed && PyDict_Next(args[1], &place, &domain, &locals);)
        failed = find_domain(lower, size, domain, locals, &found);
    PyMem_Free(lower);
    if (!failed) {
        if (found.count > 1)
            qsort(found.places, (size_t)found.count, sizeof *found.places, order);
        result = found.count ? replaced(data, &found) : Py_NewRef(data);
    }
    PyMem_Free(found.places);
    return result;
}
