/* Levels of a series and lines between two: `_log_likelihood` of change/moves/weigh.py and `fit` of slope.py, which say
   what everything means. Sums are taken in another order than theirs, so that the last digits differ. */

#include "logs.h"

#include <math.h>
#include <stdlib.h>

/* Log likelihood of some units at the level that suits them best; 0 where there are no messages. `room` is for twice as
   many numbers as units. */
ALWAYS_INLINE double at_its_best(
    const double *count, const double *offset, Py_ssize_t units, double size, Py_ssize_t steps, double precise, double *room)
{
    double *other = room + units;
    for (Py_ssize_t at = 0; at < units; at++) {
        room[at] = offset[at] > 0.0 ? count[at] : 0.0;
        other[at] = offset[at] > 0.0 ? offset[at] : 0.0;
    }
    const double messages = sum_of(room, units);
    double level = messages / sum_of(other, units);
    if (!(messages > 0.0))
        return 0.0;
    for (Py_ssize_t step = 0; step < steps; step++) {
        for (Py_ssize_t at = 0; at < units; at++) {
            /* A missing unit expects nothing, and weighs nothing. */
            const double mean = offset[at] > 0.0 ? level * offset[at] : 0.0, damp = size / (size + mean);
            room[at] = (offset[at] > 0.0 ? count[at] - mean : 0.0) * damp;
            other[at] = mean * damp;
        }
        double further = sum_of(room, units) / sum_of(other, units);
        further = further < -1.0 ? -1.0 : further > 1.0 ? 1.0 : further;
        level *= exp(further);
        if (fabs(further) < precise)
            break;
    }
    for (Py_ssize_t at = 0; at < units; at++) {
        const double mean = offset[at] > 0.0 ? level * offset[at] : size;
        const double value = count[at] * log_of(mean / (size + mean)) - size * log_of_one_and(mean / size);
        room[at] = offset[at] > 0.0 ? value : 0.0;
    }
    return sum_of(room, units);
}

/* levels(count, offset, size, bounds, (steps, precise)): float64 (units,) twice; int64 (pieces + 1,), increasing. Twice the
   log-likelihood ratio of a level for each piece between two bounds against one for all. */
WIDEST PyObject *native_levels(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer count, offset, bounds;
    double size, precise, gain = 0.0;
    Py_ssize_t steps;
    if (!PyArg_ParseTuple(args, "y*y*dy*(nd):levels", &count, &offset, &size, &bounds, &steps, &precise))
        return NULL;
    const Py_ssize_t units = count.len / (Py_ssize_t)sizeof(double), ends = bounds.len / (Py_ssize_t)sizeof(int64_t);
    const int64_t *bound = bounds.buf;
    int fits = count.len == offset.len && ends > 1;
    for (Py_ssize_t at = 0; fits && at < ends; at++)
        fits = bound[at] >= (at ? bound[at - 1] : 0) && bound[at] <= units;
    double *room = fits ? malloc((size_t)(2 * units + 1) * sizeof(double)) : NULL;
    for (Py_ssize_t piece = 0; room && piece < ends; piece++) {
        const int64_t first = bound[piece < ends - 1 ? piece : 0], last = bound[piece < ends - 1 ? piece + 1 : ends - 1];
        const double found = at_its_best(
            (const double *)count.buf + first, (const double *)offset.buf + first, last - first, size, steps, precise, room);
        gain += piece < ends - 1 ? found : -found;
    }
    PyBuffer_Release(&count);
    PyBuffer_Release(&offset);
    PyBuffer_Release(&bounds);
    free(room);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "levels: arrays of other shapes");
    if (!room)
        return PyErr_NoMemory();
    return PyFloat_FromDouble(2.0 * gain);
}

/* Log likelihood of units at one level, from their messages and weights, without what no level changes. */
static double of_level(double total, double mass, double level, double size, double slight)
{
    const double mean = level > slight ? level : slight;
    return total * log_of(mean) - (total + mass * size) * log_of(size + mean);
}

static double mean_of(const double *total, const double *mass, int64_t first, int64_t last, double slight)
{
    const double held = mass[last] - mass[first];
    return (total[last] - total[first]) / (held > slight ? held : slight);
}

/* Units of a line from one place to another; `room` is for as many numbers. */
ALWAYS_INLINE double of_line(
    const double *seen, const double *weight, int64_t first, int64_t last, double before, double after, double size,
    double slight, double *room)
{
    const int units = (int)(last - first); /* a number that registers are wide for, beside those of days */
    const double *messages = seen + first, *held = weight + first;
    for (int at = 0; at < units; at++) {
        const double share = (double)(at + 1) / (double)(units + 1), found = before + (after - before) * share;
        const double level = found > slight ? found : slight;
        room[at] = log_of(level) * messages[at] - log_of(level + size) * (messages[at] + held[at] * size);
    }
    return sum_of(room, units);
}

/* lines((weight, seen, mass, total), (begins, ends), left, right, size, slight, cost): float64 (units,) twice, sums of
   them so far, (units + 1,) twice; int64 places; and, written, minus twice the log likelihood of every line, without a
   constant part: (begins, ends), as it is where the end is no later. */
WIDEST PyObject *native_lines(PyObject *Py_UNUSED(module), PyObject *args)
{
    enum { BUFFERS = 7 };
    Py_buffer buffer[BUFFERS] = {{0}};
    PyObject *days, *places;
    Py_ssize_t left, right;
    double size, slight;
    if (!PyArg_ParseTuple(
            args, "O!O!nnddw*:lines", &PyTuple_Type, &days, &PyTuple_Type, &places, &left, &right, &size, &slight, &buffer[0]))
        return NULL;
    int read = 1, parsed = PyArg_ParseTuple(days, "y*y*y*y*:lines", &buffer[1], &buffer[2], &buffer[3], &buffer[4]);
    if (parsed) {
        read = 5;
        parsed = PyArg_ParseTuple(places, "y*y*:lines", &buffer[5], &buffer[6]);
    }
    if (!parsed) {
        for (int which = 0; which < read; which++)
            PyBuffer_Release(&buffer[which]);
        return NULL;
    }
    const Py_ssize_t one = (Py_ssize_t)sizeof(double), units = buffer[1].len / one;
    const Py_ssize_t begins = buffer[5].len / (Py_ssize_t)sizeof(int64_t), ends = buffer[6].len / (Py_ssize_t)sizeof(int64_t);
    const int64_t *first = buffer[5].buf, *last = buffer[6].buf;
    int fits = left >= 0 && left <= right && right <= units && buffer[0].len == begins * ends * one
        && buffer[2].len == buffer[1].len && buffer[3].len == (units + 1) * one && buffer[4].len == buffer[3].len;
    for (Py_ssize_t at = 0; fits && at < begins; at++)
        fits = first[at] >= left && first[at] <= right;
    for (Py_ssize_t at = 0; fits && at < ends; at++)
        fits = last[at] >= left && last[at] <= right;
    double *room = fits ? malloc((size_t)(units + 1) * sizeof(double)) : NULL;
    if (room) {
        const double *weight = buffer[1].buf, *seen = buffer[2].buf, *mass = buffer[3].buf, *total = buffer[4].buf;
        for (Py_ssize_t at = 0; at < begins; at++) {
            const double before = mean_of(total, mass, left, first[at], slight);
            const double old = of_level(total[first[at]] - total[left], mass[first[at]] - mass[left], before, size, slight);
            for (Py_ssize_t to = 0; to < ends; to++) {
                if (last[to] <= first[at])
                    continue;
                const double after = mean_of(total, mass, last[to], right, slight);
                const double new = of_level(total[right] - total[last[to]], mass[right] - mass[last[to]], after, size, slight);
                const double line = of_line(seen, weight, first[at], last[to], before, after, size, slight, room);
                ((double *)buffer[0].buf)[at * ends + to] = -2.0 * (old + new + line);
            }
        }
    }
    for (int which = 0; which < BUFFERS; which++)
        PyBuffer_Release(&buffer[which]);
    free(room);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "lines: arrays of other shapes");
    if (!room)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}
