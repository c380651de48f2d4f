/* The header block to fields: name, unfolded value and white space of the folds; see message/header.py. */

#define _GNU_SOURCE
#include "native.h"

#include <string.h>

#define NAMES_KEPT 4096
#define NAME_BYTES 100 /* of those; a longer one is the sender's own, and would fill memory */

/* name -> (name, lower-case name, number), so that the few names of mail are made and hashed once. The number is
   that of a field which may stand once, else -1; the names of these are kept too, for others have other numbers. */
static PyObject *names_seen, *single_seen;

typedef struct {
    const Py_UCS1 *text;
    Py_ssize_t size, at;
    char *value;  /* room for the longest unfolded value */
    char *folded; /* room for its folds */
    PyObject *single;     /* names of fields that may stand once, in lower case; or NULL */
    unsigned long met;    /* a bit for each of them that was met */
    int flags;            /* what is wrong, of the bits below */
} Block;

/* As FLAGS in message/header.py names them. */
enum {
    SPACED = 1,     /* white space stood before a colon */
    BLANK = 2,      /* a continuation line held nothing else */
    REPEATED = 4,   /* a field that may stand once stands twice */
    NO_COLON = 8,   /* lines between fields are none */
    STRAY_FOLD = 16, /* the same, and the first of them begins with white space */
    FROM_LINE = 32, /* an mbox separator stood above */
};

static int is_name(Py_UCS1 c) { return c > ' ' && c < 127 && c != ':'; }
static int is_blank(Py_UCS1 c) { return c == ' ' || c == '\t'; }

static PyObject *latin1(const void *bytes, Py_ssize_t size)
{
    return PyUnicode_DecodeLatin1((const char *)bytes, size, NULL);
}

/* A name in lower case. The method's name is made once: the interpreter keeps each string that it looked one up by. */
static PyObject *lower_case(PyObject *name)
{
    static PyObject *lower;
    if (!lower && !(lower = PyUnicode_InternFromString("lower")))
        return NULL;
    return PyObject_CallMethodNoArgs(name, lower);
}

/* The place of a name among those of fields that may stand once; -1 for all others. */
static long number_of(PyObject *single, PyObject *lower)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(single); at++)
        if (PyUnicode_Compare(PyTuple_GET_ITEM(single, at), lower) == 0)
            return (long)at;
    return -1;
}

/* What is to be known of a name. */
static PyObject *name_facts(const Py_UCS1 *bytes, Py_ssize_t size, PyObject *single)
{
    PyObject *name = latin1(bytes, size);
    if (!name)
        return NULL;
    PyObject *facts = size <= NAME_BYTES ? PyDict_GetItemWithError(names_seen, name) : NULL;
    Py_XINCREF(facts);
    if (!facts && !PyErr_Occurred()) {
        PyObject *lower = lower_case(name);
        facts = lower ? Py_BuildValue("(OOl)", name, lower, number_of(single, lower)) : NULL;
        Py_XDECREF(lower);
        if (facts && size <= NAME_BYTES) {
            if (PyDict_GET_SIZE(names_seen) >= NAMES_KEPT)
                PyDict_Clear(names_seen);
            if (PyDict_SetItem(names_seen, name, facts))
                Py_CLEAR(facts);
        }
    }
    Py_DECREF(name);
    return facts;
}

static Py_ssize_t line_end(const Block *block, Py_ssize_t at)
{
    const Py_UCS1 *found = at < block->size ? memchr(block->text + at, '\n', (size_t)(block->size - at)) : NULL;
    return found ? found - block->text : block->size;
}

/* Read the value whose first line begins at `at`, and the lines that continue it. */
static int read_value(Block *block, Py_ssize_t at, PyObject **value, PyObject **folded)
{
    const Py_UCS1 *text = block->text;
    Py_ssize_t end = line_end(block, at), last = end;
    while (last > at && is_blank(text[last - 1]))
        last--;
    if (!(end + 1 < block->size && is_blank(text[end + 1]))) {
        block->at = end < block->size ? end + 1 : end;
        *value = latin1(text + at, last - at);
        *folded = PyUnicode_New(0, 0);
        return *value && *folded ? 0 : -1;
    }
    Py_ssize_t size = last - at, folds = 0;
    memcpy(block->value, text + at, (size_t)size);
    for (int first = 1; end + 1 < block->size && is_blank(text[end + 1]); first = 0) {
        Py_ssize_t from = end + 1, start = from;
        end = line_end(block, from);
        while (start < end && is_blank(text[start]))
            start++;
        last = end;
        while (last > start && is_blank(text[last - 1]))
            last--;
        if (!first)
            block->folded[folds++] = '|';
        memcpy(block->folded + folds, text + from, (size_t)(start - from));
        folds += start - from;
        if (last == start)
            block->flags |= BLANK;
        block->value[size++] = ' ';
        memcpy(block->value + size, text + start, (size_t)(last - start));
        size += last - start;
    }
    block->at = end < block->size ? end + 1 : end;
    Py_ssize_t begin = 0;
    while (begin < size && block->value[begin] == ' ')
        begin++;
    while (size > begin && block->value[size - 1] == ' ')
        size--;
    *value = latin1(block->value + begin, size - begin);
    *folded = latin1(block->folded, folds);
    return *value && *folded ? 0 : -1;
}

/* One field as an instance of `type`, a subclass of tuple with three places. */
static PyObject *new_field(PyTypeObject *type, PyObject *name, PyObject *value, PyObject *folded)
{
    PyObject *field = type->tp_alloc(type, 3);
    if (field) {
#if PY_VERSION_HEX >= 0x030E0000
        ((PyTupleObject *)field)->ob_hash = -1; /* not reckoned yet; zero would be taken for it */
#endif
        PyTuple_SET_ITEM(field, 0, Py_NewRef(name));
        PyTuple_SET_ITEM(field, 1, Py_NewRef(value));
        PyTuple_SET_ITEM(field, 2, Py_NewRef(folded));
    }
    return field;
}

/* Read every field into the lists. 1: they are all; 0: there are none or too many, or what follows the last is text;
   -1: an exception. */
static int read_fields(Block *block, Py_ssize_t most, PyTypeObject *type, PyObject *fields, PyObject *names)
{
    Py_ssize_t last = 0; /* where the last field ended */
    while (block->at < block->size) {
        Py_ssize_t at = block->at;
        while (at < block->size && is_name(block->text[at]))
            at++;
        Py_ssize_t name_end = at;
        while (at < block->size && is_blank(block->text[at]))
            at++;
        if (name_end == block->at || at == block->size || block->text[at] != ':') { /* no field: pass over the line */
            at = line_end(block, block->at);
            block->at = at < block->size ? at + 1 : at;
            continue;
        }
        if (PyList_GET_SIZE(fields) == most)
            return 0;
        if (block->at > last)
            block->flags |= is_blank(block->text[last]) ? STRAY_FOLD : NO_COLON;
        if (at > name_end)
            block->flags |= SPACED;
        PyObject *facts = name_facts(block->text + block->at, name_end - block->at, block->single);
        if (!facts)
            return -1;
        long number = PyLong_AsLong(PyTuple_GET_ITEM(facts, 2));
        if (number >= 0) {
            if (block->met >> number & 1)
                block->flags |= REPEATED;
            block->met |= 1UL << number;
        }
        at++;
        while (at < block->size && is_blank(block->text[at]))
            at++;
        PyObject *value = NULL, *folded = NULL, *field = NULL;
        if (!read_value(block, at, &value, &folded))
            field = new_field(type, PyTuple_GET_ITEM(facts, 0), value, folded);
        int failed = !field || PyList_Append(fields, field) || PyList_Append(names, PyTuple_GET_ITEM(facts, 1));
        Py_XDECREF(field);
        Py_XDECREF(value);
        Py_XDECREF(folded);
        Py_DECREF(facts);
        if (failed)
            return -1;
        last = block->at;
    }
    for (Py_ssize_t at = last; at < block->size; at++)
        if (!is_blank(block->text[at]) && block->text[at] != '\n')
            return 0;
    return PyList_GET_SIZE(fields) > 0;
}

/* The fields of a block as (fields, lower-case names, flags, body), or None where that needs another look. */
static PyObject *fields_of(Block *block, Py_ssize_t most, PyTypeObject *type, Py_ssize_t body)
{
    if (!names_seen && !(names_seen = PyDict_New()))
        return NULL;
    if (single_seen != block->single) {
        PyDict_Clear(names_seen);
        Py_XSETREF(single_seen, Py_NewRef(block->single));
    }
    /* A value is no longer than its lines; a fold's mark takes the place of its line end. */
    block->value = PyMem_Malloc(2 * (size_t)block->size + 2);
    PyObject *fields = PyList_New(0), *names = PyList_New(0), *result = NULL;
    if (!block->value) {
        PyErr_NoMemory();
    } else if (fields && names) {
        block->folded = block->value + block->size + 1;
        int read = read_fields(block, most, type, fields, names);
        if (read == 0) {
            result = Py_NewRef(Py_None);
        } else if (read == 1) {
            PyObject *whole = PyList_AsTuple(fields);
            if (whole)
                result = Py_BuildValue("(NOin)", whole, names, block->flags, body);
        }
    }
    PyMem_Free(block->value);
    Py_XDECREF(fields);
    Py_XDECREF(names);
    return result;
}

static int are_rules(PyObject *most, PyObject *type, PyObject *single)
{
    if (!PyLong_Check(most) || !PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, &PyTuple_Type)
        || !PyTuple_Check(single) || PyTuple_GET_SIZE(single) > 31)
        return 0;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(single); at++)
        if (!PyUnicode_Check(PyTuple_GET_ITEM(single, at)))
            return 0;
    return 1;
}

/* read_fields(block, most, type, single) -> (fields, lower-case names, flags, 0) | None where there is no field, there
   are more than `most`, text follows the last one, or characters lie outside Latin-1. */
PyObject *native_read_fields(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyUnicode_Check(args[0]) || !are_rules(args[1], args[2], args[3])) {
        PyErr_SetString(PyExc_TypeError, "read_fields(str, int, tuple type, tuple)");
        return NULL;
    }
    Py_ssize_t most = PyLong_AsSsize_t(args[1]);
    if (most == -1 && PyErr_Occurred())
        return NULL;
    if (PyUnicode_KIND(args[0]) != PyUnicode_1BYTE_KIND || !PyUnicode_GET_LENGTH(args[0]))
        Py_RETURN_NONE;
    Block block = {
        .text = PyUnicode_1BYTE_DATA(args[0]), .size = PyUnicode_GET_LENGTH(args[0]), .single = args[3],
    };
    return fields_of(&block, most, (PyTypeObject *)args[2], 0);
}

/* read_head(data, most, type, single, bound) -> (fields, lower-case names, flags, offset of the body) | None, besides,
   where the header block is longer than the bound, does not end in an empty line, or is more than ASCII with line
   feeds. */
PyObject *native_read_head(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 5 || !PyBytes_Check(args[0]) || !are_rules(args[1], args[2], args[3]) || !PyLong_Check(args[4])) {
        PyErr_SetString(PyExc_TypeError, "read_head(bytes, int, tuple type, tuple, int)");
        return NULL;
    }
    Py_ssize_t most = PyLong_AsSsize_t(args[1]), bound = PyLong_AsSsize_t(args[4]);
    if (PyErr_Occurred())
        return NULL;
    const char *data = PyBytes_AS_STRING(args[0]), *start = data, *stop = data + PyBytes_GET_SIZE(args[0]);
    int separated = !strncmp(data, "From ", 5) || !strncmp(data, ">From ", 6);
    if (separated && !(start = memchr(data, '\n', (size_t)(stop - data))))
        Py_RETURN_NONE;
    start += separated;
    if (stop - start > bound)
        stop = start + bound;
    const char *end = stop > start && *start != '\n' ? memmem(start, (size_t)(stop - start), "\n\n", 2) : NULL;
    if (!end || memchr(start, '\r', (size_t)(end - start)))
        Py_RETURN_NONE;
    unsigned char any = 0;
    for (const char *at = start; at < end; at++)
        any |= (unsigned char)*at;
    if (any >= 0x80)
        Py_RETURN_NONE;
    Block block = {
        .text = (const Py_UCS1 *)start, .size = end - start, .single = args[3],
        .flags = separated ? FROM_LINE : 0,
    };
    return fields_of(&block, most, (PyTypeObject *)args[2], end + 2 - data);
}

/* The kept facts of a name that is a string; borrowed. NULL without an error set where it is no name of a field. */
static PyObject *known_name(PyObject *name)
{
    if (!names_seen && !(names_seen = PyDict_New()))
        return NULL;
    return PyDict_GetItemWithError(names_seen, name);
}

/* columns(fields) -> ([name], [lower-case name], [value], {lower-case name: value of the first}, [value of Received]) */
PyObject *native_columns(PyObject *Py_UNUSED(module), PyObject *fields)
{
    if (!PyTuple_Check(fields)) {
        PyErr_SetString(PyExc_TypeError, "columns(tuple)");
        return NULL;
    }
    static PyObject *received_name;
    if (!received_name && !(received_name = PyUnicode_InternFromString("received")))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(fields);
    PyObject *names = PyList_New(count), *lowers = PyList_New(count), *values = PyList_New(count);
    PyObject *first = PyDict_New(), *received = PyList_New(0), *result = NULL;
    int failed = !names || !lowers || !values || !first || !received;
    for (Py_ssize_t at = 0; !failed && at < count; at++) {
        PyObject *field = PyTuple_GET_ITEM(fields, at);
        if (!PyTuple_Check(field) || PyTuple_GET_SIZE(field) < 2 || !PyUnicode_Check(PyTuple_GET_ITEM(field, 0))) {
            PyErr_SetString(PyExc_TypeError, "columns of (name, value, ...)");
            failed = 1;
            break;
        }
        PyObject *name = PyTuple_GET_ITEM(field, 0), *value = PyTuple_GET_ITEM(field, 1);
        PyObject *facts = known_name(name);
        PyObject *lower = facts ? Py_NewRef(PyTuple_GET_ITEM(facts, 1))
            : PyErr_Occurred()  ? NULL
                                : lower_case(name);
        if (!lower) {
            failed = 1;
            break;
        }
        PyList_SET_ITEM(names, at, Py_NewRef(name));
        PyList_SET_ITEM(lowers, at, lower);
        PyList_SET_ITEM(values, at, Py_NewRef(value));
        failed = !PyDict_SetDefault(first, lower, value)
            || (PyUnicode_Compare(lower, received_name) == 0 && PyList_Append(received, value) < 0);
    }
    if (!failed)
        result = PyTuple_Pack(5, names, lowers, values, first, received);
    Py_XDECREF(names);
    Py_XDECREF(lowers);
    Py_XDECREF(values);
    Py_XDECREF(first);
    Py_XDECREF(received);
    return result;
}
