/* Strains that meet over traits: the nearest of each, as `_nearest` of campaign/kinship.py, which says what everything
   means; and the inner product of campaign/regrouping.py. Sums keep the order of the Python, and so its bits. */

#include "native.h"

#include <stdint.h>
#include <stdlib.h>

enum { OURS, OUR_COLUMNS, OUR_BOUNDS, THEIRS, THEIR_COLUMNS, THEIR_BOUNDS, ASKED, AMONG, FOUND, BUFFERS };

typedef struct {
    const double *values;
    const int32_t *columns;
    const int64_t *bounds;
} Rows;

/* What one strain has met. */
typedef struct {
    double *sums;
    int64_t *seen;   /* the last row that met a column, counted from one */
    int32_t *met;    /* columns of this row */
    double *best;    /* the nearest so far, descending */
    int64_t *places; /* their columns */
} Table;

/* The nearest columns of a row, into `table->best` and `places`; how many. */
static Py_ssize_t nearest_of(
    int64_t row, const Rows *ours, const Rows *theirs, const int64_t *asked, const int64_t *among, double least,
    Py_ssize_t most, Table *table)
{
    Py_ssize_t met = 0, kept = 0;
    for (int64_t at = ours->bounds[row]; at < ours->bounds[row + 1]; at++) {
        double value = ours->values[at];
        int32_t feature = ours->columns[at];
        for (int64_t to = theirs->bounds[feature]; to < theirs->bounds[feature + 1]; to++) {
            int32_t column = theirs->columns[to];
            if (table->seen[column] != row + 1) {
                table->seen[column] = row + 1;
                table->sums[column] = 0.0;
                table->met[met++] = column;
            }
            table->sums[column] += value * theirs->values[to];
        }
    }
    for (Py_ssize_t at = 0; at < met; at++) {
        int32_t column = table->met[at];
        double sum = table->sums[column];
        if (!(sum >= least) || asked[row] == among[column])
            continue;
        Py_ssize_t place = kept;
        while (place && (table->best[place - 1] < sum || (table->best[place - 1] == sum && table->places[place - 1] > column)))
            place--;
        if (place >= most)
            continue;
        if (kept < most)
            kept++;
        for (Py_ssize_t to = kept - 1; to > place; to--) {
            table->best[to] = table->best[to - 1];
            table->places[to] = table->places[to - 1];
        }
        table->best[place] = sum;
        table->places[place] = column;
    }
    return kept;
}

/* Whether bounds ascend within so many entries, and columns are so few. */
static int holds(const Rows *rows, Py_ssize_t count, Py_ssize_t entries, Py_ssize_t columns)
{
    if (rows->bounds[0] != 0 || rows->bounds[count] != entries)
        return 0;
    for (Py_ssize_t at = 0; at < count; at++)
        if (rows->bounds[at] > rows->bounds[at + 1])
            return 0;
    for (Py_ssize_t at = 0; at < entries; at++)
        if (rows->columns[at] < 0 || rows->columns[at] >= columns)
            return 0;
    return 1;
}

static void release(Py_buffer *view, int first, int stop)
{
    for (int which = first; which < stop; which++)
        PyBuffer_Release(&view[which]);
}

/* nearest((values, columns, bounds), (values, columns, bounds), asked, among, least, found): rows of those asked by
   feature, and rows of features by place in `among`, as float64, int32 and int64; strains as int64; and, written in
   place, int64 of shape (asked, most): numbers of strains, -1 for none. */
PyObject *native_nearest(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer view[BUFFERS] = {{0}};
    PyObject *told, *turned;
    double least;
    /* The tuples by themselves: see `follow` of waves.c. */
    if (!PyArg_ParseTuple(
            args, "O!O!y*y*dw*:nearest", &PyTuple_Type, &told, &PyTuple_Type, &turned, &view[ASKED], &view[AMONG], &least,
            &view[FOUND]))
        return NULL;
    if (!PyArg_ParseTuple(told, "y*y*y*:nearest", &view[OURS], &view[OUR_COLUMNS], &view[OUR_BOUNDS])) {
        release(view, ASKED, BUFFERS);
        return NULL;
    }
    if (!PyArg_ParseTuple(turned, "y*y*y*:nearest", &view[THEIRS], &view[THEIR_COLUMNS], &view[THEIR_BOUNDS])) {
        release(view, OURS, THEIRS);
        release(view, ASKED, BUFFERS);
        return NULL;
    }
    const Rows ours = {view[OURS].buf, view[OUR_COLUMNS].buf, view[OUR_BOUNDS].buf};
    const Rows theirs = {view[THEIRS].buf, view[THEIR_COLUMNS].buf, view[THEIR_BOUNDS].buf};
    Py_ssize_t rows = view[ASKED].len / 8, columns = view[AMONG].len / 8, features = view[THEIR_BOUNDS].len / 8 - 1;
    Py_ssize_t most = rows ? view[FOUND].len / 8 / rows : 0;
    int fits = view[OUR_BOUNDS].len == (rows + 1) * 8 && features >= 0 && view[OUR_COLUMNS].len * 2 == view[OURS].len &&
               view[THEIR_COLUMNS].len * 2 == view[THEIRS].len && view[FOUND].len == rows * most * 8 &&
               holds(&ours, rows, view[OURS].len / 8, features) && holds(&theirs, features, view[THEIRS].len / 8, columns);
    Table table = {NULL, NULL, NULL, NULL, NULL};
    int held = 0;
    if (fits) {
        table.sums = malloc((size_t)(columns + 1) * sizeof *table.sums);
        table.seen = calloc((size_t)columns + 1, sizeof *table.seen);
        table.met = malloc((size_t)(columns + 1) * sizeof *table.met);
        table.best = malloc((size_t)(most + 1) * sizeof *table.best);
        table.places = malloc((size_t)(most + 1) * sizeof *table.places);
        held = table.sums && table.seen && table.met && table.best && table.places;
    }
    if (held) {
        const int64_t *asked = view[ASKED].buf, *among = view[AMONG].buf;
        int64_t *found = view[FOUND].buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rows; row++) {
            Py_ssize_t kept = nearest_of(row, &ours, &theirs, asked, among, least, most, &table);
            for (Py_ssize_t at = 0; at < most; at++)
                found[row * most + at] = at < kept ? among[table.places[at]] : -1;
        }
        Py_END_ALLOW_THREADS
    }
    free(table.sums);
    free(table.seen);
    free(table.met);
    free(table.best);
    free(table.places);
    release(view, OURS, BUFFERS);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "nearest: arrays of other shapes");
        return NULL;
    }
    if (!held)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* inner({feature: value}, {feature: value}): the sum over the first one's features that the second has. */
PyObject *native_inner(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *small, *large, *feature, *value;
    if (!PyArg_ParseTuple(args, "O!O!:inner", &PyDict_Type, &small, &PyDict_Type, &large))
        return NULL;
    double sum = 0.0;
    Py_ssize_t at = 0;
    while (PyDict_Next(small, &at, &feature, &value)) {
        PyObject *other = PyDict_GetItemWithError(large, feature);
        if (!other) {
            if (PyErr_Occurred())
                return NULL;
            continue;
        }
        if (!PyFloat_CheckExact(value) || !PyFloat_CheckExact(other)) {
            PyErr_SetString(PyExc_TypeError, "inner: values that are not floats");
            return NULL;
        }
        sum += PyFloat_AS_DOUBLE(value) * PyFloat_AS_DOUBLE(other);
    }
    return PyFloat_FromDouble(sum);
}

/* ------------------------------------------------------------------------------------------------ buckets */

#define SIEVE_BITS 18

typedef struct {
    uint64_t key;
    int32_t first; /* the last sketch of a bucket that was met, counted from one; 0 for no bucket */
    int32_t size;
    int32_t fresh;
} Bucket;

typedef struct {
    uint64_t other;
    int32_t sketch;
} Crowded;

typedef struct {
    int64_t *at;
    size_t count, room;
} Pairs;

static int by_other(const void *one, const void *two)
{
    const Crowded *a = one, *b = two;
    if (a->other != b->other)
        return a->other < b->other ? -1 : 1;
    return a->sketch < b->sketch ? -1 : a->sketch > b->sketch;
}

/* Pairs of a bucket that have a fresh sketch, within a window; 0 where there is no memory. */
static int pair_up(const Crowded *members, int32_t size, int window, const unsigned char *fresh, int64_t count, Pairs *pairs)
{
    size_t most = pairs->count + (size_t)size * (size_t)window;
    if (most > pairs->room) {
        size_t room = 2 * most;
        int64_t *larger = realloc(pairs->at, room * sizeof *larger);
        if (!larger)
            return 0;
        pairs->at = larger;
        pairs->room = room;
    }
    for (int32_t one = 0; one < size; one++)
        for (int32_t two = one + 1; two < size && two <= one + window; two++) {
            int64_t here = members[one].sketch, there = members[two].sketch;
            if (fresh[here] || fresh[there])
                pairs->at[pairs->count++] = here < there ? here * count + there : there * count + here;
        }
    return 1;
}

static size_t place_of(const Bucket *buckets, size_t room, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (room - 1);
    while (buckets[at].first && buckets[at].key != key)
        at = (at + 1) & (room - 1);
    return at;
}

/* All pairs of one band; 0 where there is no memory. */
static int meet(const uint64_t *keys, const uint64_t *others, const unsigned char *fresh, int64_t count, int window,
                unsigned char *sieve, int32_t *next, Pairs *pairs)
{
    size_t some = 0, room = 1024;
    for (int64_t at = 0; at < count; at++)
        if (fresh[at])
            sieve[keys[at] >> (64 - SIEVE_BITS)] = 1;
    for (int64_t at = 0; at < count; at++)
        some += sieve[keys[at] >> (64 - SIEVE_BITS)];
    while (room < 2 * some)
        room *= 2;
    Bucket *buckets = calloc(room, sizeof *buckets);
    Crowded *members = malloc((some + 1) * sizeof *members);
    int done = buckets && members;
    for (int64_t at = 0; done && at < count; at++) {
        if (!sieve[keys[at] >> (64 - SIEVE_BITS)])
            continue;
        Bucket *bucket = &buckets[place_of(buckets, room, keys[at])];
        bucket->key = keys[at];
        next[at] = bucket->first;
        bucket->first = (int32_t)at + 1;
        bucket->size++;
        bucket->fresh += fresh[at];
    }
    for (size_t at = 0; done && at < room; at++) {
        const Bucket *bucket = &buckets[at];
        if (bucket->size < 2 || !bucket->fresh)
            continue;
        int32_t size = 0;
        for (int32_t each = bucket->first; each; each = next[each - 1])
            members[size++] = (Crowded){others[each - 1], each - 1};
        if (size > window + 1)
            qsort(members, (size_t)size, sizeof *members, by_other);
        done = pair_up(members, size, window, fresh, count, pairs);
    }
    free(buckets);
    free(members);
    return done;
}

/* met(keys, others, fresh, window) -> bytes of int64: pairs, the lower times the number of all plus the higher, of sketches
   that share a key, as `_met` of campaign/candidates.py. Keys and others are uint64, fresh a byte each. */
PyObject *native_met(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer view[3];
    int window;
    if (!PyArg_ParseTuple(args, "y*y*y*i:met", &view[0], &view[1], &view[2], &window))
        return NULL;
    Py_ssize_t count = view[2].len;
    int fits = view[0].len == 8 * count && view[1].len == 8 * count && count < INT32_MAX && window > 0 && window < 1024;
    Pairs pairs = {NULL, 0, 0};
    PyObject *found = NULL;
    if (fits) {
        unsigned char *sieve = calloc((size_t)1 << SIEVE_BITS, 1);
        int32_t *next = malloc(((size_t)count + 1) * sizeof *next);
        int done = sieve && next;
        Py_BEGIN_ALLOW_THREADS
        done = done && meet(view[0].buf, view[1].buf, view[2].buf, count, window, sieve, next, &pairs);
        Py_END_ALLOW_THREADS
        free(sieve);
        free(next);
        if (done)
            found = PyBytes_FromStringAndSize((const char *)pairs.at, (Py_ssize_t)(pairs.count * sizeof *pairs.at));
        else
            PyErr_NoMemory();
        free(pairs.at);
    } else
        PyErr_SetString(PyExc_ValueError, "met: arrays of other shapes");
    release(view, 0, 3);
    return found;
}
