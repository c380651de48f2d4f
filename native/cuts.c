/* Cuts of a series and of a mix: `best_cuts` of change/moves/segment.py with the costs of `partition` there, and of
   `partition_mix` of change/mixes/switch.py, which say what everything means. Costs may differ in their last digits. */

#include "logs.h"

#include <math.h>
#include <stdlib.h>

#define LEAST 1e-300  /* of `_cost` */
#define QUIET 1e-9    /* of `cost` */
#define SLIGHT 1e-200 /* of `cost` */

/* Minus twice the log likelihood of the segments of a mix that end at a place, from each place before it. */
ALWAYS_INLINE void costs_of_mix(const double *sums, Py_ssize_t programmes, Py_ssize_t ends, Py_ssize_t until, double *cost, double *whole)
{
    for (Py_ssize_t from = 0; from < until; from++)
        whole[from] = cost[from] = 0.0;
    for (Py_ssize_t p = 0; p < programmes; p++)
        for (Py_ssize_t from = 0; from < until; from++)
            whole[from] += sums[p * ends + until] - sums[p * ends + from];
    for (Py_ssize_t from = 0; from < until; from++)
        whole[from] = log_of(whole[from] > LEAST ? whole[from] : LEAST);
    for (Py_ssize_t p = 0; p < programmes; p++)
        for (Py_ssize_t from = 0; from < until; from++) {
            const double mass = sums[p * ends + until] - sums[p * ends + from];
            cost[from] += mass * (log_of(mass > LEAST ? mass : LEAST) - whole[from]);
        }
    for (Py_ssize_t from = 0; from < until; from++)
        cost[from] *= -2.0;
}

/* The same of levels; `sums` are the weights so far, then the weighed rates. */
ALWAYS_INLINE void costs_of_levels(const double *sums, double size, Py_ssize_t ends, Py_ssize_t until, double *cost)
{
    const double *weights = sums, *rates = sums + ends, own = log_of(size);
    for (Py_ssize_t from = 0; from < until; from++) {
        const double number = weights[until] - weights[from], total = rates[until] - rates[from];
        const double mean = total / (number > SLIGHT ? number : SLIGHT), safe = mean <= QUIET ? 1.0 : mean;
        const double more = log_of_one_and(safe / size);
        const double value = -2.0 * (total * (log_of(safe) - (own + more)) - number * size * more);
        cost[from] = mean <= QUIET ? 0.0 : value;
    }
}

/* Optimal partitioning; of a mix where there is no size. */
ALWAYS_INLINE void cut(
    const double *sums, Py_ssize_t programmes, double size, Py_ssize_t ends, double penalty, double *room, int64_t *previous)
{
    double *best = room, *cost = best + ends, *whole = cost + ends;
    best[0] = -penalty;
    previous[0] = 0;
    for (Py_ssize_t until = 1; until < ends; until++) {
        if (size > 0.0)
            costs_of_levels(sums, size, ends, until, cost);
        else
            costs_of_mix(sums, programmes, ends, until, cost, whole);
        double least = INFINITY;
        previous[until] = 0;
        for (Py_ssize_t from = 0; from < until; from++)
            if (best[from] + cost[from] < least) {
                least = best[from] + cost[from];
                previous[until] = from;
            }
        best[until] = least + penalty;
    }
}

/* cuts(sums, size, penalty, previous): float64 (rows, places + 1), sums so far: of each programme, with 0 for a size; or
   of weights and of weighed rates, with the size of the negative binomial. And int64 (places + 1,), written: the first
   place of the last segment of the best partition up to each place. */
WIDEST PyObject *native_cuts(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer sums, previous;
    double size, penalty;
    if (!PyArg_ParseTuple(args, "y*ddw*:cuts", &sums, &size, &penalty, &previous))
        return NULL;
    const Py_ssize_t ends = previous.len / (Py_ssize_t)sizeof(int64_t);
    const Py_ssize_t rows = ends ? sums.len / (Py_ssize_t)sizeof(double) / ends : 0;
    const int fits = rows > 0 && sums.len == ends * rows * (Py_ssize_t)sizeof(double)
        && previous.len == ends * (Py_ssize_t)sizeof(int64_t) && (!(size > 0.0) || rows == 2);
    double *room = fits ? malloc((size_t)ends * 3 * sizeof(double)) : NULL;
    if (room) {
        Py_BEGIN_ALLOW_THREADS
        cut(sums.buf, rows, size, ends, penalty, room, previous.buf);
        Py_END_ALLOW_THREADS
        free(room);
    }
    PyBuffer_Release(&sums);
    PyBuffer_Release(&previous);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "cuts: arrays of other shapes");
        return NULL;
    }
    if (!room)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}
