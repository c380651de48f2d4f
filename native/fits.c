/* Fits of a panel: `_scoring` of series/fitting/loglinear.py, `moment_dispersion` of dispersion.py and `_correlate` of
   arrow.py beside it, which say what everything means. Sums are taken in another order than theirs, so that the last
   digits differ; the order is the same on every machine. */

#include "logs.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 4 };

/* Sum of products, in lanes that do not wait for one another. */
ALWAYS_INLINE double inner_product(const double *one, const double *other, Py_ssize_t count)
{
    double lane[LANES] = {0};
    Py_ssize_t at = 0;
    for (; at + LANES <= count; at += LANES)
        for (int which = 0; which < LANES; which++)
            lane[which] += one[at + which] * other[at + which];
    for (; at < count; at++)
        lane[0] += one[at] * other[at];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* The largest size; no number where one of them is none. */
static double largest_of(const double *values, Py_ssize_t count)
{
    double found = 0.0;
    for (Py_ssize_t at = 0; at < count; at++) {
        const double size = fabs(values[at]);
        if (isnan(size))
            return size;
        if (size > found)
            found = size;
    }
    return found;
}

/* Expected counts; the same as `_levels`. */
ALWAYS_INLINE void expect(
    const double *exposure, const double *sensor, const double *day, double *risen, double *mean, Py_ssize_t sensors,
    Py_ssize_t days, double most)
{
    if (largest_of(sensor, sensors) + largest_of(day, days) < most) {
        for (Py_ssize_t t = 0; t < days; t++)
            risen[t] = exp(day[t]);
        for (Py_ssize_t s = 0; s < sensors; s++) {
            const double own = exp(sensor[s]), *u = exposure + s * days;
            double *row = mean + s * days;
            for (Py_ssize_t t = 0; t < days; t++)
                row[t] = u[t] * (own * risen[t]);
        }
        return;
    }
    for (Py_ssize_t s = 0; s < sensors; s++)
        for (Py_ssize_t t = 0; t < days; t++) {
            double log = sensor[s] + day[t];
            mean[s * days + t] = exposure[s * days + t] * exp(log < -most ? -most : log > most ? most : log);
        }
}

/* Solve a symmetric positive definite system in place, by Cholesky; 0 where it is none. */
static int solve(double *matrix, double *right, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++) {
        for (Py_ssize_t j = 0; j <= i; j++) {
            double left = matrix[i * size + j];
            for (Py_ssize_t k = 0; k < j; k++)
                left -= matrix[i * size + k] * matrix[j * size + k];
            if (i != j)
                matrix[i * size + j] = left / matrix[j * size + j];
            else if (left > 0.0 && isfinite(left))
                matrix[i * size + i] = sqrt(left);
            else
                return 0;
        }
        for (Py_ssize_t k = 0; k < i; k++)
            right[i] -= matrix[i * size + k] * right[k];
        right[i] /= matrix[i * size + i];
    }
    for (Py_ssize_t i = size; i-- > 0;) {
        for (Py_ssize_t k = i + 1; k < size; k++)
            right[i] -= matrix[k * size + i] * right[k];
        right[i] /= matrix[i * size + i];
    }
    return 1;
}

typedef struct {
    const double *counts, *exposure, *centre, *precision;
    double *sensor, *day; /* the effects, written in place */
    double alpha, largest_step, most_exponent, arrived;
    Py_ssize_t sensors, days, held, steps;
} Panel;

/* Room for it: three arrays of cells are laid out before what is by day, by sensor, and the system. */
static Py_ssize_t room_for(Py_ssize_t sensors, Py_ssize_t days)
{
    return 2 * sensors * days + 4 * days + 2 * sensors + sensors * sensors;
}

ALWAYS_INLINE int score(const Panel *panel, double *room)
{
    const Py_ssize_t S = panel->sensors, T = panel->days;
    const double alpha = panel->alpha;
    double *weight = room, *border = weight + S * T, *by_day = border + S * T, *left = by_day + T, *shift = left + T;
    double *risen = shift + T, *move = risen + T, *right = move + S, *schur = right + S;
    const Py_ssize_t held = panel->held;
    for (Py_ssize_t step = 0; step < panel->steps; step++) {
        expect(panel->exposure, panel->sensor, panel->day, risen, weight, S, T, panel->most_exponent);
        for (Py_ssize_t t = 0; t < T; t++)
            by_day[t] = left[t] = 0.0;
        Py_ssize_t free = 0;
        for (Py_ssize_t s = 0; s < S; s++) {
            const double *y = panel->counts + s * T;
            double *w = weight + s * T, *gap = border + s * T;
            for (Py_ssize_t t = 0; t < T; t++) {
                double damp = 1.0 / (1.0 + alpha * w[t]);
                gap[t] = (y[t] - w[t]) * damp;
                w[t] *= damp;
                by_day[t] += w[t];
                left[t] += gap[t];
            }
            right[s] = sum_of(gap, T) - panel->precision[s] * (panel->sensor[s] - panel->centre[s]);
        }
        for (Py_ssize_t s = 0; s < S; s++) {
            const double *w = weight + s * T;
            double *share = border + s * T;
            for (Py_ssize_t t = 0; t < T; t++)
                share[t] = w[t] / by_day[t];
            if (s == held)
                continue;
            move[free] = right[s] - inner_product(share, left, T);
            Py_ssize_t column = 0;
            const Py_ssize_t size = held < 0 ? S : S - 1;
            for (Py_ssize_t other = 0; other <= s; other++)
                if (other != held)
                    schur[free * size + column++] = -inner_product(share, weight + other * T, T);
            schur[free * size + free] += sum_of(w, T) + panel->precision[s];
            free++;
        }
        if (!solve(schur, move, free))
            return 0;
        if (held >= 0) { /* make room for what does not move */
            for (Py_ssize_t s = S; s-- > held + 1;)
                move[s] = move[s - 1];
            move[held] = 0.0;
        }
        for (Py_ssize_t t = 0; t < T; t++)
            shift[t] = left[t];
        for (Py_ssize_t s = 0; s < S; s++)
            for (Py_ssize_t t = 0; t < T; t++)
                shift[t] -= move[s] * weight[s * T + t];
        for (Py_ssize_t t = 0; t < T; t++)
            shift[t] /= by_day[t];
        double moved = largest_of(move, S), shifted = largest_of(shift, T), longest = moved > shifted ? moved : shifted;
        if (!isfinite(moved) || !isfinite(shifted))
            return 0;
        double pace = longest > panel->largest_step ? panel->largest_step / longest : 1.0;
        for (Py_ssize_t s = 0; s < S; s++)
            panel->sensor[s] += pace * move[s];
        for (Py_ssize_t t = 0; t < T; t++)
            panel->day[t] += pace * shift[t];
        if (longest < panel->arrived)
            break;
    }
    return 1;
}

static void release(Py_buffer *buffer, int count)
{
    for (int which = 0; which < count; which++)
        PyBuffer_Release(&buffer[which]);
}

static PyObject *other_shapes(const char *name)
{
    return PyErr_Format(PyExc_ValueError, "%s: arrays of other shapes", name);
}

/* score((counts, exposure), (centre, precision), (sensor, day), held, alpha, (steps, largest step, most exponent,
   arrived)): float64 without gaps, of shapes (S, T) twice, (S,) twice, and, written in place, (S,) and (T,); the sensor
   that is held, or -1. False where it comes to nothing, and what is written is nothing either. */
WIDE PyObject *native_score(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer buffer[6] = {{0}};
    PyObject *table, *prior, *effects, *bounds;
    Panel panel;
    if (!PyArg_ParseTuple(
            args, "O!O!O!ndO!:score", &PyTuple_Type, &table, &PyTuple_Type, &prior, &PyTuple_Type, &effects, &panel.held,
            &panel.alpha, &PyTuple_Type, &bounds)
        || !PyArg_ParseTuple(
            bounds, "nddd:score", &panel.steps, &panel.largest_step, &panel.most_exponent, &panel.arrived)
        || !PyArg_ParseTuple(table, "y*y*:score", &buffer[0], &buffer[1]))
        return NULL;
    if (!PyArg_ParseTuple(prior, "y*y*:score", &buffer[2], &buffer[3])) {
        release(buffer, 2);
        return NULL;
    }
    if (!PyArg_ParseTuple(effects, "w*w*:score", &buffer[4], &buffer[5])) {
        release(buffer, 4);
        return NULL;
    }
    const Py_ssize_t one = (Py_ssize_t)sizeof(double);
    const Py_ssize_t S = buffer[4].len / one, T = buffer[5].len / one;
    int fits = S > 0 && T > 0 && S * one == buffer[4].len && T * one == buffer[5].len && buffer[2].len == S * one
        && buffer[3].len == S * one && buffer[0].len == buffer[1].len && buffer[0].len / one / T == S
        && buffer[0].len == S * T * one && panel.held >= -1 && panel.held < S;
    int came = 0;
    double *room = fits ? malloc((size_t)(room_for(S, T) * one)) : NULL;
    if (room) {
        panel.counts = buffer[0].buf, panel.exposure = buffer[1].buf;
        panel.centre = buffer[2].buf, panel.precision = buffer[3].buf;
        panel.sensor = buffer[4].buf, panel.day = buffer[5].buf;
        panel.sensors = S, panel.days = T;
        Py_BEGIN_ALLOW_THREADS
        came = score(&panel, room);
        Py_END_ALLOW_THREADS
        free(room);
    }
    release(buffer, 6);
    if (!fits)
        return other_shapes("score");
    return room ? PyBool_FromLong(came) : PyErr_NoMemory();
}

/* dispersion(square, mean, freedom, (largest, steps, precise)): float64 without gaps, both of shape (cells,). */
WIDE PyObject *native_dispersion(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer square, mean;
    double freedom, largest, precise, alpha = 0.0;
    Py_ssize_t steps;
    if (!PyArg_ParseTuple(args, "y*y*d(dnd):dispersion", &square, &mean, &freedom, &largest, &steps, &precise))
        return NULL;
    const Py_ssize_t count = mean.len / (Py_ssize_t)sizeof(double);
    const int fits = square.len == mean.len && count * (Py_ssize_t)sizeof(double) == mean.len;
    double *room = fits ? malloc((size_t)(count + 1) * 2 * sizeof(double)) : NULL;
    if (room) {
        const double *m = mean.buf, *q = square.buf;
        double *told = room, *fall = room + count;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t step = 0; step <= steps; step++) {
            for (Py_ssize_t at = 0; at < count; at++) {
                double damp = 1.0 / (1.0 + alpha * m[at]);
                told[at] = q[at] / m[at] * damp;
                fall[at] = told[at] * damp * m[at];
            }
            double total = sum_of(told, count), falls = sum_of(fall, count);
            if ((step == 0 && total <= freedom) || step == steps)
                break;
            double further = falls > 0.0 ? (total / freedom - 1.0) * total / falls : largest;
            alpha += further;
            if (alpha >= largest) {
                alpha = largest;
                break;
            }
            if (fabs(further) <= precise * alpha)
                break;
        }
        Py_END_ALLOW_THREADS
        free(room);
    }
    PyBuffer_Release(&square);
    PyBuffer_Release(&mean);
    if (!fits)
        return other_shapes("dispersion");
    return room ? PyFloat_FromDouble(alpha) : PyErr_NoMemory();
}

/* Some rows beside one another: what came before, and what comes after, of each day. */
ALWAYS_INLINE void correlate(int rows, const double *values, const double *near, double *out, Py_ssize_t days)
{
    double held[ROWS] = {0};
    for (Py_ssize_t t = 0; t < days; t++)
        for (int row = 0; row < rows; row++)
            out[row * days + t] = held[row] = values[row * days + t] + (t ? near[t - 1] : 0.0) * held[row];
    for (int row = 0; row < rows; row++)
        held[row] = 0.0;
    for (Py_ssize_t t = days - 1; t-- > 0;)
        for (int row = 0; row < rows; row++) {
            held[row] = near[t] * (values[row * days + t + 1] + held[row]);
            out[row * days + t] += held[row];
        }
}

/* correlate(values, near, out): float64 without gaps, of shapes (rows, T), (T - 1,) and, written in place, (rows, T). */
WIDE PyObject *native_correlate(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer values, near, out;
    if (!PyArg_ParseTuple(args, "y*y*w*:correlate", &values, &near, &out))
        return NULL;
    const Py_ssize_t one = (Py_ssize_t)sizeof(double), days = near.len / one + 1, rows = values.len / one / days;
    const int fits = near.len == (days - 1) * one && values.len == rows * days * one && out.len == values.len;
    if (fits) {
        const double *from = values.buf;
        double *to = out.buf;
        Py_BEGIN_ALLOW_THREADS
        Py_ssize_t row = 0;
        for (; row + ROWS <= rows; row += ROWS)
            correlate(ROWS, from + row * days, near.buf, to + row * days, days);
        for (; row < rows; row++)
            correlate(1, from + row * days, near.buf, to + row * days, days);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&values);
    PyBuffer_Release(&near);
    PyBuffer_Release(&out);
    if (!fits)
        return other_shapes("correlate");
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------------------------ how well each day's effect is known */

enum { SPREAD = 8 };

typedef struct {
    const double *root, *border, *days, *base, *multiple, *near; /* (S, T), (F, T), (T,), (F,), (F + 1, T), (T - 1,) */
    const int64_t *place; /* (S,): the number of a sensor among those that are free, or -1 */
    Py_ssize_t sensors, free, count;
} Spreading;

/* Products of all columns with what is correlated of all, summed over sensors, and by day with what they are to be
   multiplied by: `inner` (F + 1, F + 1) and `crossed` (T,). Columns lie beside one another, a day after the other. */
ALWAYS_INLINE void spread(const Spreading *given, double *room, double *inner, double *crossed)
{
    const Py_ssize_t T = given->count, F = given->free, K = F + 1;
    const Py_ssize_t wide = (K + SPREAD - 1) / SPREAD * SPREAD;
    double *column = room, *smooth = column + T * wide, *held = smooth + T * wide;
    for (Py_ssize_t at = 0; at < T * wide; at++)
        column[at] = smooth[at] = 0.0;
    for (Py_ssize_t s = 0; s < given->sensors; s++) {
        const double *root = given->root + s * T;
        const Py_ssize_t own = given->place[s];
        const double of_base = own < 0 ? 0.0 : given->base[own];
        for (Py_ssize_t t = 0; t < T; t++) {
            double *here = column + t * wide;
            for (Py_ssize_t k = 0; k < F; k++)
                here[k] = root[t] * given->border[k * T + t];
            if (own >= 0)
                here[own] -= root[t];
            here[F] = -root[t] * (given->days[t] + of_base);
        }
        for (Py_ssize_t k = 0; k < wide; k++)
            held[k] = 0.0;
        for (Py_ssize_t t = 0; t < T; t++) {
            const double before = t ? given->near[t - 1] : 0.0;
            for (Py_ssize_t k = 0; k < wide; k++)
                smooth[t * wide + k] = held[k] = column[t * wide + k] + before * held[k];
        }
        for (Py_ssize_t k = 0; k < wide; k++)
            held[k] = 0.0;
        for (Py_ssize_t t = T - 1; t-- > 0;)
            for (Py_ssize_t k = 0; k < wide; k++) {
                held[k] = given->near[t] * (column[(t + 1) * wide + k] + held[k]);
                smooth[t * wide + k] += held[k];
            }
        for (Py_ssize_t t = 0; t < T; t++) {
            const double *here = column + t * wide, *there = smooth + t * wide;
            for (Py_ssize_t k = 0; k < K; k++) {
                double *row = inner + k * wide;
                for (Py_ssize_t j = 0; j < wide; j++)
                    row[j] += here[k] * there[j];
            }
            double sum = 0.0;
            for (Py_ssize_t k = 0; k < K; k++)
                sum += there[k] * given->multiple[k * T + t];
            crossed[t] += root[t] * sum;
        }
    }
}

/* spread((root, border, days, base, multiple, near), place, inner, crossed): float64 without gaps, of shapes (S, T), (F, T),
   (T,), (F,), (F + 1, T), (T - 1,); int64 (S,); and, written in place, zeros of (F + 1, F + 1) and (T,). */
WIDEST PyObject *native_spread(PyObject *Py_UNUSED(module), PyObject *args)
{
    enum { BUFFERS = 9 };
    Py_buffer buffer[BUFFERS] = {{0}};
    PyObject *arrays;
    if (!PyArg_ParseTuple(args, "O!y*w*w*:spread", &PyTuple_Type, &arrays, &buffer[0], &buffer[1], &buffer[2]))
        return NULL;
    if (!PyArg_ParseTuple(
            arrays, "y*y*y*y*y*y*:spread", &buffer[3], &buffer[4], &buffer[5], &buffer[6], &buffer[7], &buffer[8])) {
        release(buffer, 3);
        return NULL;
    }
    const Py_ssize_t one = (Py_ssize_t)sizeof(double), T = buffer[2].len / one, F = buffer[6].len / one, K = F + 1;
    const Py_ssize_t S = buffer[0].len / (Py_ssize_t)sizeof(int64_t);
    int fits = T > 0 && buffer[1].len == K * K * one && buffer[2].len == T * one && buffer[3].len == S * T * one
        && buffer[4].len == F * T * one && buffer[5].len == T * one && buffer[7].len == K * T * one
        && buffer[8].len == (T - 1) * one;
    const int64_t *place = buffer[0].buf;
    for (Py_ssize_t s = 0; fits && s < S; s++)
        fits = place[s] >= -1 && place[s] < F;
    const Py_ssize_t wide = (K + SPREAD - 1) / SPREAD * SPREAD;
    double *room = fits ? malloc((size_t)(wide * (2 * T + 1 + K)) * sizeof(double)) : NULL;
    if (room) {
        const Spreading given = {
            buffer[3].buf, buffer[4].buf, buffer[5].buf, buffer[6].buf, buffer[7].buf, buffer[8].buf, place, S, F, T,
        };
        double *sums = room + wide * (2 * T + 1);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t at = 0; at < K * wide; at++)
            sums[at] = 0.0;
        spread(&given, room, sums, buffer[2].buf);
        for (Py_ssize_t k = 0; k < K; k++)
            for (Py_ssize_t j = 0; j < K; j++)
                ((double *)buffer[1].buf)[k * K + j] = sums[k * wide + j];
        Py_END_ALLOW_THREADS
        free(room);
    }
    release(buffer, BUFFERS);
    if (!fits)
        return other_shapes("spread");
    if (!room)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}
