/* Texts of rules that stand in a message: the pass of attribution/signature/sieve.py, which lays them out and says what
   they are. A text is found by four of its characters and then held against the message, character by character. */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define KEY 4
#define SIEVE_BITS 16
#define FACTOR UINT32_C(0x9E3779B1)
#define CASELESS UINT32_C(0x20202020)
#define FEW_BYTES 8192
#define FEW_TEXTS 4096

typedef struct {
    const unsigned char *sieve; /* a bit for each hash of a key */
    const uint32_t *begins;     /* by hash: the first of its entries */
    const uint32_t *entries;    /* key, text, place of the key in the text */
    const uint32_t *bounds;     /* of each text, in `said` */
    const uint32_t *whole;      /* of each text: whether no letter or digit may stand beside it */
    const uint16_t *said;       /* sets of characters, one for each place of a text */
    const unsigned char *sets;  /* 16 bytes each: a bit for each ASCII character */
    uint32_t texts, kinds;      /* how many texts, and sets */
    int broken;                 /* something points out of the tables; seen where it is used, for that is seldom */
} Tables;

typedef struct {
    const void *data;
    int kind;
    Py_ssize_t size;
} Message;

/* What cannot be encoded is written as a question mark. */
static inline Py_UCS4 written(Py_UCS4 code)
{
    return code >= 0xD800 && code <= 0xDFFF ? '?' : code;
}

static inline unsigned char low_byte(Py_UCS4 code)
{
    return (unsigned char)written(code);
}

static inline Py_UCS4 read_at(const Message *message, Py_ssize_t at)
{
    return written(PyUnicode_READ(message->kind, message->data, at));
}

static inline int is_alphanumeric(Py_UCS4 code)
{
    return (code >= '0' && code <= '9') || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z');
}

static int stands_at(Tables *tables, const Message *message, uint32_t text, Py_ssize_t start)
{
    uint32_t from = tables->bounds[text], to = tables->bounds[text + 1];
    if (from > to || to > tables->bounds[tables->texts])
        return !(tables->broken = 1);
    Py_ssize_t length = (Py_ssize_t)(to - from);
    if (start < 0 || length > message->size - start)
        return 0;
    const uint16_t *said = tables->said + from;
    for (Py_ssize_t at = 0; at < length; at++) {
        Py_UCS4 code = read_at(message, start + at);
        if (said[at] >= tables->kinds)
            return !(tables->broken = 1);
        if (code >= 128 || !(tables->sets[16 * said[at] + (code >> 3)] >> (code & 7) & 1))
            return 0;
    }
    if (!tables->whole[text])
        return 1;
    Py_ssize_t end = start + length;
    return !(start && is_alphanumeric(read_at(message, start - 1)))
           && !(end < message->size && is_alphanumeric(read_at(message, end)));
}

/* Mark the texts that stand at a place where a key may be; how many are new. */
static uint32_t mark(Tables *tables, const Message *message, uint32_t key, uint32_t hash, Py_ssize_t at,
                     unsigned char *found)
{
    uint32_t fresh = 0, end = tables->begins[hash + 1];
    if (end > tables->texts || tables->begins[hash] > end)
        return !(tables->broken = 1);
    for (uint32_t which = tables->begins[hash]; which < end; which++) {
        const uint32_t *entry = tables->entries + 3 * (size_t)which;
        if (entry[1] >= tables->texts)
            return !(tables->broken = 1);
        if (entry[0] == key && !found[entry[1]] && stands_at(tables, message, entry[1], at - (Py_ssize_t)entry[2]))
            fresh += found[entry[1]] = 1;
    }
    return fresh;
}

static uint32_t search(Tables *tables, const Message *message, const unsigned char *bytes, unsigned char *found)
{
    uint32_t fresh = 0;
    for (Py_ssize_t at = 0; at + KEY <= message->size; at++) {
        uint32_t key;
        memcpy(&key, bytes + at, KEY);
        key |= CASELESS;
        uint32_t hash = key * FACTOR >> (32 - SIEVE_BITS);
        if (tables->sieve[hash >> 3] >> (hash & 7) & 1)
            fresh += mark(tables, message, key, hash, at, found);
    }
    return fresh;
}

/* Whether the parts of the tables fit one another; the tables are written. */
static int laid(PyObject *const *args, Tables *tables)
{
    Py_ssize_t size[4];
    for (int which = 0; which < 4; which++) {
        if (!PyBytes_Check(args[which + 1]))
            return 0;
        size[which] = PyBytes_GET_SIZE(args[which + 1]);
    }
    Py_ssize_t hashes = (Py_ssize_t)1 << SIEVE_BITS;
    if (size[0] != hashes / 8 || size[1] < 4 * (hashes + 1) || size[2] < 8)
        return 0;
    tables->sieve = (const unsigned char *)PyBytes_AS_STRING(args[1]);
    tables->begins = (const uint32_t *)PyBytes_AS_STRING(args[2]);
    tables->entries = tables->begins + hashes + 1;
    const uint32_t *head = (const uint32_t *)PyBytes_AS_STRING(args[3]);
    tables->texts = head[0];
    Py_ssize_t numbers = 2 * (Py_ssize_t)head[0] + 2;
    if (size[2] < 4 * numbers)
        return 0;
    tables->bounds = head + 1;
    tables->whole = head + 2 + head[0];
    tables->said = (const uint16_t *)(head + numbers);
    tables->sets = (const unsigned char *)PyBytes_AS_STRING(args[4]);
    tables->kinds = (uint32_t)(size[3] / 16);
    tables->broken = 0;
    return tables->begins[hashes] == head[0] && size[1] == 4 * (hashes + 1) + 12 * (Py_ssize_t)head[0]
           && size[2] == 4 * numbers + 2 * (Py_ssize_t)tables->bounds[head[0]];
}

/* texts_in(message, sieve, entries, texts, sets) -> numbers of the texts that stand in it, ascending; None for none. */
PyObject *native_texts_in(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Tables tables;
    if (count != 5 || !PyUnicode_Check(args[0]) || !laid(args, &tables)) {
        PyErr_SetString(PyExc_TypeError, "texts_in(str, bytes, bytes, bytes, bytes)");
        return NULL;
    }
    const Message message = {PyUnicode_DATA(args[0]), PyUnicode_KIND(args[0]), PyUnicode_GET_LENGTH(args[0])};
    unsigned char few[FEW_BYTES], few_found[FEW_TEXTS];
    unsigned char *bytes = NULL, *found = few_found;
    const unsigned char *low = message.data;
    if (message.kind != PyUnicode_1BYTE_KIND) { /* the low byte of each character: what is told apart when it is looked at */
        bytes = message.size <= FEW_BYTES ? few : PyMem_Malloc((size_t)message.size);
        if (!bytes)
            return PyErr_NoMemory();
        if (message.kind == PyUnicode_2BYTE_KIND)
            for (Py_ssize_t at = 0; at < message.size; at++)
                bytes[at] = low_byte(((const Py_UCS2 *)message.data)[at]);
        else
            for (Py_ssize_t at = 0; at < message.size; at++)
                bytes[at] = low_byte(((const Py_UCS4 *)message.data)[at]);
        low = bytes;
    }
    if (tables.texts > FEW_TEXTS)
        found = PyMem_Malloc(tables.texts);
    PyObject *numbers = NULL;
    int done = found != NULL;
    if (done) {
        memset(found, 0, tables.texts);
        uint32_t some = search(&tables, &message, low, found);
        if (tables.broken) {
            PyErr_SetString(PyExc_ValueError, "tables of texts point out of themselves");
            done = 0;
        } else if (some) {
            numbers = PyList_New(0);
            done = numbers != NULL;
            for (uint32_t text = 0; done && text < tables.texts; text++) {
                PyObject *number = found[text] ? PyLong_FromUnsignedLong(text) : NULL;
                done = !found[text] || (number && PyList_Append(numbers, number) == 0);
                Py_XDECREF(number);
            }
        }
    } else
        PyErr_NoMemory();
    if (bytes && bytes != few)
        PyMem_Free(bytes);
    if (found && found != few_found)
        PyMem_Free(found);
    if (!done) {
        Py_XDECREF(numbers);
        return NULL;
    }
    if (!numbers)
        Py_RETURN_NONE;
    return numbers;
}
