/* Levels that wander: the days of a Kalman filter at all points of a grid, `_follow` of change/moves/waves.py, which says
   what everything means. Every operation is one of its, in its order, so that both give the same to the bit. */

#include "native.h"

enum { STATES = 3, SUMS = 6, GIVEN = 7, KEPT = 4, BUFFERS = GIVEN + KEPT, TILE = 56 };

typedef struct {
    const double *log, *step, *known, *poisson; /* of one row, by unit */
    Py_ssize_t first, stop;
} Days;

/* Some units of one row at some neighbouring points of the grid. */
ALWAYS_INLINE void some_points(
    Py_ssize_t width, const Days *days, const double *uneven_, const double *memory_, const double *kept_,
    const double *added_, double *error_, double *product_, double *const *state_, double *const *sums_)
{
    double uneven[TILE], memory[TILE], kept[TILE], added[TILE], error[TILE], product[TILE];
    double state[STATES][TILE], sums[SUMS][TILE];
    for (Py_ssize_t at = 0; at < width; at++) {
        uneven[at] = uneven_[at], memory[at] = memory_[at], kept[at] = kept_[at], added[at] = added_[at];
        error[at] = error_[at], product[at] = product_[at];
        for (int column = 0; column < STATES; column++)
            state[column][at] = state_[column][at];
        for (int sum = 0; sum < SUMS; sum++)
            sums[sum][at] = sums_[sum][at];
    }
    for (Py_ssize_t unit = days->first; unit < days->stop; unit++) {
        if (days->known[unit] != 0.0) {
            double log = days->log[unit], step = days->step[unit], poisson = days->poisson[unit];
            for (Py_ssize_t at = 0; at < width; at++) {
                double total = error[at] + poisson + uneven[at];
                double off = log - state[0][at], whole = 1.0 - state[1][at], part = step - state[2][at];
                double weight = 1.0 / total, gain = error[at] / total;
                double off_weighed = off * weight, whole_weighed = whole * weight;
                product[at] *= total;
                sums[0][at] += off * off_weighed;
                sums[1][at] += whole * off_weighed;
                sums[2][at] += part * off_weighed;
                sums[3][at] += whole * whole_weighed;
                sums[4][at] += part * whole_weighed;
                sums[5][at] += part * (part * weight);
                state[0][at] += off * gain;
                state[1][at] += whole * gain;
                state[2][at] += part * gain;
                error[at] *= 1.0 - gain;
            }
        }
        for (int column = 0; column < STATES; column++)
            for (Py_ssize_t at = 0; at < width; at++)
                state[column][at] *= memory[at];
        for (Py_ssize_t at = 0; at < width; at++)
            error[at] = error[at] * kept[at] + added[at];
    }
    for (Py_ssize_t at = 0; at < width; at++) {
        error_[at] = error[at], product_[at] = product[at];
        for (int column = 0; column < STATES; column++)
            state_[column][at] = state[column][at];
        for (int sum = 0; sum < SUMS; sum++)
            sums_[sum][at] = sums[sum][at];
    }
}

static void release(Py_buffer *buffer, int count)
{
    for (int which = 0; which < count; which++)
        PyBuffer_Release(&buffer[which]);
}

/* follow((columns, known, poisson), (uneven, memory, kept, added), (error, product, state, sums), first, stop): arrays
   of float64 without gaps, of shapes (3, rows, units), (rows, units), (rows, units); (rows, points), three of
   (points,); and, written in place, (rows, points) twice, (3, rows, points) and (6, rows, points). */
WIDEST PyObject *native_follow(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer buffer[BUFFERS] = {{0}};
    PyObject *days, *grid, *at_work;
    Py_ssize_t first, stop;
    /* Each tuple by itself: in one format, more buffers within tuples than the interpreter keeps room for would be
       noted beyond its end. Those of a tuple that fails are released by it. */
    if (!PyArg_ParseTuple(
            args, "O!O!O!nn:follow", &PyTuple_Type, &days, &PyTuple_Type, &grid, &PyTuple_Type, &at_work, &first, &stop)
        || !PyArg_ParseTuple(days, "y*y*y*:follow", &buffer[0], &buffer[1], &buffer[2]))
        return NULL;
    if (!PyArg_ParseTuple(grid, "y*y*y*y*:follow", &buffer[3], &buffer[4], &buffer[5], &buffer[6])) {
        release(buffer, 3);
        return NULL;
    }
    if (!PyArg_ParseTuple(at_work, "w*w*w*w*:follow", &buffer[7], &buffer[8], &buffer[9], &buffer[10])) {
        release(buffer, GIVEN);
        return NULL;
    }
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
        const double *columns = buffer[0].buf, *uneven = buffer[3].buf, *memory = buffer[4].buf;
        const double *kept = buffer[5].buf, *added = buffer[6].buf;
        double *error = buffer[7].buf, *product = buffer[8].buf, *states = buffer[9].buf, *all_sums = buffer[10].buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rows; row++) {
            const Days of_row = {
                columns + row * units, columns + (2 * rows + row) * units, (const double *)buffer[1].buf + row * units,
                (const double *)buffer[2].buf + row * units, first, stop,
            };
            for (Py_ssize_t point = 0; point < points; point += TILE) {
                Py_ssize_t here = row * points + point;
                double *state[STATES], *sums[SUMS];
                for (int column = 0; column < STATES; column++)
                    state[column] = states + column * rows * points + here;
                for (int sum = 0; sum < SUMS; sum++)
                    sums[sum] = all_sums + sum * rows * points + here;
                if (points - point >= TILE)
                    some_points(
                        TILE, &of_row, uneven + here, memory + point, kept + point, added + point, error + here,
                        product + here, state, sums);
                else
                    some_points(
                        points - point, &of_row, uneven + here, memory + point, kept + point, added + point, error + here,
                        product + here, state, sums);
            }
        }
        Py_END_ALLOW_THREADS
    }
    release(buffer, BUFFERS);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "follow: arrays of other shapes");
        return NULL;
    }
    Py_RETURN_NONE;
}
