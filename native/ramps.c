/* Ramps of a move: sums over all paths of non-increasing levels, `_paths` of change/moves/date.py, which says what
   everything means. Every operation is one of its, in its order, so that both give the same to the bit. */

#include "native.h"

#include <stdint.h>

#define LEVELS 12 /* RAMP_LEVELS there */
#define TILE 32

/* Some neighbouring cells of one onset, unit by unit. */
ALWAYS_INLINE void one_onset(
    Py_ssize_t width, const double *likely, Py_ssize_t by_level, Py_ssize_t cells, double *ends, Py_ssize_t by_length,
    const int64_t *numbers, Py_ssize_t longest, Py_ssize_t onset)
{
    double shares[LEVELS][TILE];
    for (int level = 0; level < LEVELS; level++)
        for (Py_ssize_t at = 0; at < width; at++)
            shares[level][at] = 1.0;
    for (Py_ssize_t length = 0; length < longest && onset < numbers[length]; length++) {
        const double *day = likely + length * cells;
        for (Py_ssize_t at = 0; at < width; at++)
            shares[0][at] *= day[at];
        for (int level = 1; level < LEVELS; level++)
            for (Py_ssize_t at = 0; at < width; at++)
                shares[level][at] = shares[level][at] * day[level * by_level + at] + shares[level - 1][at];
        for (Py_ssize_t at = 0; at < width; at++)
            ends[length * by_length + at] = shares[LEVELS - 1][at];
    }
}

/* paths(likely, numbers, ends): float64 (12, days, cells), int64 (lengths,), and, written in place, float64
   (lengths, onsets, cells); none of them with gaps. */
WIDE PyObject *native_paths(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer likely, numbers, ends;
    Py_ssize_t onsets, cells;
    if (!PyArg_ParseTuple(args, "y*y*w*nn:paths", &likely, &numbers, &ends, &onsets, &cells))
        return NULL;
    const Py_ssize_t one = (Py_ssize_t)sizeof(double);
    const int64_t *number = numbers.buf;
    Py_ssize_t longest = numbers.len / (Py_ssize_t)sizeof(int64_t);
    int fits = onsets > 0 && cells > 0 && onsets <= ends.len / one && cells <= ends.len / one / onsets
        && ends.len % (onsets * cells * one) == 0 && longest == ends.len / (onsets * cells * one)
        && cells <= likely.len / LEVELS / one && likely.len % (LEVELS * cells * one) == 0;
    Py_ssize_t days = fits ? likely.len / (LEVELS * cells * one) : 0;
    for (Py_ssize_t length = 0; fits && length < longest; length++)
        fits = number[length] <= onsets && (number[length] <= 0 || number[length] + length <= days);
    if (fits) {
        for (Py_ssize_t onset = 0; onset < onsets; onset++)
            for (Py_ssize_t cell = 0; cell < cells; cell += TILE) {
                const double *first = (const double *)likely.buf + onset * cells + cell;
                double *end = (double *)ends.buf + onset * cells + cell;
                if (cells - cell >= TILE)
                    one_onset(TILE, first, days * cells, cells, end, onsets * cells, number, longest, onset);
                else
                    one_onset(cells - cell, first, days * cells, cells, end, onsets * cells, number, longest, onset);
            }
    }
    PyBuffer_Release(&likely);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&ends);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "paths: arrays of other shapes");
        return NULL;
    }
    Py_RETURN_NONE;
}
