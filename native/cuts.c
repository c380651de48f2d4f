/* Cuts of a mix: `best_cuts` of change/moves/segment.py with the costs of `partition_mix` of change/mixes/switch.py,
   which say what everything means. Logarithms are the C library's, so that costs may differ in their last digit. */

#include "native.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Minus twice the log likelihood of a segment at its best shares. */
ALWAYS_INLINE double cost_of(const double *until, const double *from, Py_ssize_t programmes)
{
    double total = 0.0, value = 0.0;
    for (Py_ssize_t p = 0; p < programmes; p++)
        total += until[p] - from[p];
    if (!(total > 0.0))
        return 0.0;
    const double whole = log(total);
    for (Py_ssize_t p = 0; p < programmes; p++) {
        double mass = until[p] - from[p];
        if (mass > 0.0 && mass != total)
            value += mass * (log(mass) - whole);
    }
    return -2.0 * value;
}

/* cut_mix(mass, penalty, previous): float64 (places + 1, programmes), sums so far, and int64 (places + 1,), written: the
   first place of the last segment of the best partition up to each place. */
PyObject *native_cut_mix(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer mass, previous;
    double penalty;
    if (!PyArg_ParseTuple(args, "y*dw*:cut_mix", &mass, &penalty, &previous))
        return NULL;
    const Py_ssize_t ends = previous.len / (Py_ssize_t)sizeof(int64_t);
    const Py_ssize_t programmes = ends ? mass.len / (Py_ssize_t)sizeof(double) / ends : 0;
    const int fits = programmes > 0 && mass.len == ends * programmes * (Py_ssize_t)sizeof(double)
        && previous.len == ends * (Py_ssize_t)sizeof(int64_t);
    double *best = fits ? malloc((size_t)ends * sizeof(double)) : NULL;
    if (best) {
        const double *sums = mass.buf;
        int64_t *first = previous.buf;
        Py_BEGIN_ALLOW_THREADS
        best[0] = -penalty;
        first[0] = 0;
        for (Py_ssize_t until = 1; until < ends; until++) {
            double least = INFINITY;
            first[until] = 0;
            for (Py_ssize_t from = 0; from < until; from++) {
                double option = best[from] + cost_of(sums + until * programmes, sums + from * programmes, programmes);
                if (option < least) {
                    least = option;
                    first[until] = from;
                }
            }
            best[until] = least + penalty;
        }
        Py_END_ALLOW_THREADS
        free(best);
    }
    PyBuffer_Release(&mass);
    PyBuffer_Release(&previous);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "cut_mix: arrays of other shapes");
        return NULL;
    }
    if (!best)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}
