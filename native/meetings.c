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
