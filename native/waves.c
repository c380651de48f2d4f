/* Levels that wander: the days of a Kalman filter at all points of a grid, `_follow` of change/wander.py, which says
   what everything means. Every operation is one of its, in its order, so that both give the same to the bit. */

#include "native.h"

enum { STATES = 3, SUMS = 6, GIVEN = 7, KEPT = 4, BUFFERS = GIVEN + KEPT };

/* One unit of one row at all points. */
static void one_unit(
    Py_ssize_t points, double log, double poisson, double step, const double *restrict uneven, double *restrict error,
    double *restrict product, double *const *state, double *const *sums)
{
    double *restrict level = state[0], *restrict ones = state[1], *restrict steps = state[2];
    double *restrict square = sums[0], *restrict by_mean = sums[1], *restrict by_step = sums[2];
    double *restrict mean = sums[3], *restrict both = sums[4], *restrict own = sums[5];
    for (Py_ssize_t at = 0; at < points; at++) {
        double total = error[at] + poisson + uneven[at];
        double off = log - level[at], whole = 1.0 - ones[at], part = step - steps[at];
        double weight = 1.0 / total, gain = error[at] / total;
        double off_weighed = off * weight, whole_weighed = whole * weight, part_weighed = part * weight;
        product[at] *= total;
        square[at] += off * off_weighed;
        by_mean[at] += whole * off_weighed;
        by_step[at] += part * off_weighed;
        mean[at] += whole * whole_weighed;
        both[at] += part * whole_weighed;
        own[at] += part * part_weighed;
        level[at] += off * gain;
        ones[at] += whole * gain;
        steps[at] += part * gain;
        error[at] *= 1.0 - gain;
    }
}

static void to_next(
    Py_ssize_t points, const double *restrict memory, const double *restrict kept, const double *restrict added,
    double *restrict error, double *const *state)
{
    for (int column = 0; column < STATES; column++) {
        double *restrict one = state[column];
        for (Py_ssize_t at = 0; at < points; at++)
            one[at] *= memory[at];
    }
    for (Py_ssize_t at = 0; at < points; at++)
        error[at] = error[at] * kept[at] + added[at];
}

/* follow((columns, known, poisson), (uneven, memory, kept, added), (error, product, state, sums), first, stop): arrays
   of float64 without gaps, of shapes (3, rows, units), (rows, units), (rows, units); (rows, points), three of
   (points,); and, written in place, (rows, points) twice, (3, rows, points) and (6, rows, points). */
PyObject *native_follow(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer buffer[BUFFERS];
    Py_ssize_t first, stop;
    if (!PyArg_ParseTuple(
            args, "(y*y*y*)(y*y*y*y*)(w*w*w*w*)nn:follow", &buffer[0], &buffer[1], &buffer[2], &buffer[3], &buffer[4],
            &buffer[5], &buffer[6], &buffer[7], &buffer[8], &buffer[9], &buffer[10], &first, &stop))
        return NULL;
    Py_ssize_t points = buffer[4].len / (Py_ssize_t)sizeof(double);
    Py_ssize_t rows = points ? buffer[7].len / (Py_ssize_t)sizeof(double) / points : 0;
    Py_ssize_t units = rows ? buffer[1].len / (Py_ssize_t)sizeof(double) / rows : 0;
    const Py_ssize_t sizes[BUFFERS] = {
        STATES * rows * units, rows * units,  rows * units,           rows * points,        points, points, points,
        rows * points,         rows * points, STATES * rows * points, SUMS * rows * points,
    };
    int fits = first >= 0 && first <= stop && stop <= units;
    for (int which = 0; which < BUFFERS; which++)
        fits = fits && buffer[which].len == sizes[which] * (Py_ssize_t)sizeof(double);
    if (fits) {
        const double *columns = buffer[0].buf, *known = buffer[1].buf, *poisson = buffer[2].buf;
        for (Py_ssize_t row = 0; row < rows; row++) {
            double *state[STATES], *sums[SUMS];
            double *error = (double *)buffer[7].buf + row * points, *product = (double *)buffer[8].buf + row * points;
            for (int column = 0; column < STATES; column++)
                state[column] = (double *)buffer[9].buf + (column * rows + row) * points;
            for (int sum = 0; sum < SUMS; sum++)
                sums[sum] = (double *)buffer[10].buf + (sum * rows + row) * points;
            for (Py_ssize_t unit = first; unit < stop; unit++) {
                Py_ssize_t day = row * units + unit;
                if (known[day] != 0.0)
                    one_unit(
                        points, columns[day], poisson[day], columns[2 * rows * units + day],
                        (const double *)buffer[3].buf + row * points, error, product, state, sums);
                to_next(points, buffer[4].buf, buffer[5].buf, buffer[6].buf, error, state);
            }
        }
    }
    for (int which = 0; which < BUFFERS; which++)
        PyBuffer_Release(&buffer[which]);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "follow: arrays of other shapes");
        return NULL;
    }
    Py_RETURN_NONE;
}
