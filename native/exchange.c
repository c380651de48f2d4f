/* What moved in a mix: what `weigh_exchange` of change/mixes/exchange.py fits, which says what everything means. Sums are
   taken in another order than its, so that the last digits differ. */

#include "logs.h"

#include <math.h>
#include <stdlib.h>

enum { PARTS = 3, BUFFERS = 7 };

typedef struct {
    const double *rates, *daily, *moves, *alone;
    const unsigned char *seen;
    Py_ssize_t programmes, units, loser, gainer, moved, changes;
    double rho, least_rest, volume, returned, least_variance, most_memory, pausing;
    Py_ssize_t fewest, a_pause;
} Exchange;

/* The units with mail of some: those of a pause say nothing. Returns how many; `room` is for as many numbers. */
static Py_ssize_t telling(const Exchange *mix, const int64_t *units, Py_ssize_t count, int64_t *out, double *room)
{
    if (!count)
        return 0;
    for (Py_ssize_t at = 0; at < count; at++)
        room[at] = mix->daily[units[at]];
    const double least = mix->pausing * median_of(room, count);
    Py_ssize_t kept = 0;
    for (Py_ssize_t at = 0; at < count; at++)
        if (mix->daily[units[at]] > least)
            out[kept++] = units[at];
    return kept;
}

static double part_of(const Exchange *mix, int part, Py_ssize_t unit)
{
    if (part < 2)
        return mix->rates[(part ? mix->gainer : mix->loser) * mix->units + unit];
    double rest = 0.0;
    for (Py_ssize_t p = 0; p < mix->programmes; p++)
        if (p != mix->loser && p != mix->gainer)
            rest += mix->rates[p * mix->units + unit];
    return rest;
}

static double distance(const double *residual, double precision[PARTS][PARTS], int parts)
{
    double sum = 0.0;
    for (int i = 0; i < parts; i++)
        for (int j = 0; j < parts; j++)
            sum += residual[i] * precision[i][j] * residual[j];
    return sum;
}

/* The inverse of a small positive definite matrix; 0 where it is none. */
static int invert(double matrix[PARTS][PARTS], int parts)
{
    double work[PARTS][2 * PARTS] = {{0}};
    for (int i = 0; i < parts; i++) {
        for (int j = 0; j < parts; j++)
            work[i][j] = matrix[i][j];
        work[i][parts + i] = 1.0;
    }
    for (int i = 0; i < parts; i++) {
        const double pivot = work[i][i];
        if (!(pivot > 0.0) || !isfinite(pivot))
            return 0;
        for (int j = 0; j < 2 * parts; j++)
            work[i][j] /= pivot;
        for (int k = 0; k < parts; k++) {
            const double factor = work[k][i];
            for (int j = 0; k != i && j < 2 * parts; j++)
                work[k][j] -= factor * work[i][j];
        }
    }
    for (int i = 0; i < parts; i++)
        for (int j = 0; j < parts; j++)
            matrix[i][j] = work[i][parts + j];
    return 1;
}

static double log_variance(double part, double whole, double rho)
{
    const double number = whole > 1.0 ? whole : 1.0, least = 0.5 / number;
    const double share = part / number < least ? least : part / number > 1.0 ? 1.0 : part / number;
    return (1.0 - share) / share * (1.0 + (number - 1.0) * rho) / number;
}

/* 1 where `found` is written: the least chi-squared of nothing, of an exchange, of one alone; 0 where too little is known,
   -1 where it comes to nothing. */
static int weigh(const Exchange *mix, const int64_t *olds, Py_ssize_t old_count, const int64_t *news, Py_ssize_t new_count,
                 int64_t *units, double *room, double *found)
{
    int64_t *old = units, *new = units + old_count;
    const Py_ssize_t before = telling(mix, olds, old_count, old, room), after = telling(mix, news, new_count, new, room);
    if (before < mix->fewest || !after)
        return 0;
    for (Py_ssize_t at = 0; at < before; at++)
        room[at] = mix->daily[old[at]];
    const double poor = mix->pausing * median_of(room, before);
    Py_ssize_t pauses = 0;
    for (Py_ssize_t unit = old[before - 1] + 1; unit < new[0]; unit++)
        pauses += mix->seen[unit] && mix->daily[unit] <= poor;
    double was[PARTS] = {0}, now[PARTS] = {0}, whole[2] = {0}, move[PARTS] = {0}, mean[PARTS] = {0};
    double *logs = room; /* (parts, before) */
    for (Py_ssize_t at = 0; at < before; at++)
        whole[0] += mix->daily[old[at]] / (double)before;
    for (Py_ssize_t at = 0; at < after; at++)
        whole[1] += mix->daily[new[at]] / (double)after;
    for (int part = 0; part < PARTS; part++) {
        for (Py_ssize_t at = 0; at < before; at++) {
            const double rate = part_of(mix, part, old[at]);
            was[part] += rate;
            logs[part * before + at] = log_of(rate + 0.5);
            mean[part] += logs[part * before + at];
        }
        was[part] /= (double)before;
        mean[part] /= (double)before;
        for (Py_ssize_t at = 0; at < after; at++) {
            const double rate = part_of(mix, part, new[at]);
            now[part] += rate;
            move[part] += log_of(rate + 0.5);
        }
        now[part] /= (double)after;
        move[part] = move[part] / (double)after - mean[part];
    }
    const int parts = was[2] < mix->least_rest * (was[0] + was[1] + was[2]) ? 2 : PARTS;
    double precision[PARTS][PARTS] = {{0}}, lag = 0.0, power = 0.0;
    for (int part = 0; part < parts; part++)
        for (Py_ssize_t at = 0; at < before; at++)
            logs[part * before + at] -= mean[part];
    for (int i = 0; i < parts; i++) {
        for (int j = 0; j < parts; j++)
            for (Py_ssize_t at = 0; at < before; at++)
                precision[i][j] += logs[i * before + at] * logs[j * before + at];
        for (Py_ssize_t at = 0; at < before; at++) {
            power += logs[i * before + at] * logs[i * before + at];
            lag += at ? logs[i * before + at] * logs[i * before + at - 1] : 0.0;
        }
    }
    lag /= power > 1e-9 ? power : 1e-9;
    const double rho = lag < 0.0 ? 0.0 : lag > mix->most_memory ? mix->most_memory : lag;
    double inflation = 1.0, fading = 1.0;
    for (Py_ssize_t k = 1; k < after; k++) {
        fading *= rho;
        inflation += 2.0 * (1.0 - (double)k / (double)after) * fading;
    }
    const double doubt = (double)before / (double)(before - parts - 2 > 1 ? before - parts - 2 : 1);
    const double grown = doubt * (inflation / (double)after + (1.0 + rho) / (1.0 - rho) / (double)before);
    const double prior = pauses >= mix->a_pause ? mix->returned : mix->volume;
    for (int i = 0; i < parts; i++) {
        for (int j = 0; j < parts; j++) {
            double own = precision[i][j] / (double)(before - parts > 1 ? before - parts : 1);
            own += i == j ? mix->least_variance : 0.0;
            precision[i][j] = own * grown + prior * prior;
        }
        const double more = log_variance(now[i], whole[1], mix->rho) - log_variance(was[i], whole[0], mix->rho);
        precision[i][i] += more > 0.0 ? more / (double)after : 0.0;
    }
    if (!invert(precision, parts))
        return -1;
    found[0] = distance(move, precision, parts);
    found[1] = found[2] = INFINITY;
    for (Py_ssize_t at = 0; at < mix->moved; at++)
        if (was[0] >= mix->moves[at] * whole[0]) {
            const double moved = mix->moves[at] * whole[0];
            double off[PARTS] = {0};
            off[0] = move[0] - log_of((was[0] - moved + 0.5) / (was[0] + 0.5));
            off[1] = move[1] - log_of((was[1] + moved + 0.5) / (was[1] + 0.5));
            off[2] = move[2];
            const double here = distance(off, precision, parts);
            found[1] = here < found[1] ? here : found[1];
        }
    for (int which = 0; which < 2; which++)
        for (Py_ssize_t at = 0; at < mix->changes; at++) {
            double off[PARTS] = {move[0], move[1], move[2]};
            off[which] -= mix->alone[at];
            const double here = distance(off, precision, parts);
            found[2] = here < found[2] ? here : found[2];
        }
    return 1;
}

static void release(Py_buffer *buffer, int count)
{
    for (int which = 0; which < count; which++)
        PyBuffer_Release(&buffer[which]);
}

/* Whether units lie within some, the later ones further on. */
static int ascend(const int64_t *units, Py_ssize_t count, Py_ssize_t within)
{
    for (Py_ssize_t at = 0; at < count; at++)
        if (units[at] < 0 || units[at] >= within || (at && units[at] <= units[at - 1]))
            return 0;
    return 1;
}

/* exchange((rates, daily, seen), (old, new), (moves, alone), (loser, gainer, fewest, a pause), (rho, ...)): float64
   (programmes, units), (units,), bool (units,); int64, the units of either side in order; float64 grids; see
   `weigh_exchange`. The least chi-squared of nothing, of an exchange and of one alone; None where too little is known. */
PyObject *native_exchange(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer buffer[BUFFERS] = {{0}};
    PyObject *days, *sides, *grids;
    Exchange mix;
    if (!PyArg_ParseTuple(
            args, "O!O!O!(nnnn)(ddddddd):exchange", &PyTuple_Type, &days, &PyTuple_Type, &sides, &PyTuple_Type, &grids,
            &mix.loser, &mix.gainer, &mix.fewest, &mix.a_pause, &mix.rho, &mix.least_rest, &mix.volume, &mix.returned,
            &mix.least_variance, &mix.most_memory, &mix.pausing)
        || !PyArg_ParseTuple(days, "y*y*y*:exchange", &buffer[0], &buffer[1], &buffer[2]))
        return NULL;
    if (!PyArg_ParseTuple(sides, "y*y*:exchange", &buffer[3], &buffer[4])) {
        release(buffer, 3);
        return NULL;
    }
    if (!PyArg_ParseTuple(grids, "y*y*:exchange", &buffer[5], &buffer[6])) {
        release(buffer, 5);
        return NULL;
    }
    const Py_ssize_t one = (Py_ssize_t)sizeof(double);
    const Py_ssize_t old = buffer[3].len / (Py_ssize_t)sizeof(int64_t), new = buffer[4].len / (Py_ssize_t)sizeof(int64_t);
    mix.rates = buffer[0].buf, mix.daily = buffer[1].buf, mix.seen = buffer[2].buf;
    mix.moves = buffer[5].buf, mix.alone = buffer[6].buf;
    mix.moved = buffer[5].len / one, mix.changes = buffer[6].len / one;
    mix.units = buffer[1].len / one, mix.programmes = mix.units ? buffer[0].len / one / mix.units : 0;
    const int fits = mix.units > 0 && buffer[0].len == mix.programmes * mix.units * one && buffer[2].len == mix.units
        && mix.loser >= 0 && mix.loser < mix.programmes && mix.gainer >= 0 && mix.gainer < mix.programmes && mix.fewest > 0
        && ascend(buffer[3].buf, old, mix.units) && ascend(buffer[4].buf, new, mix.units);
    double *room = fits ? malloc((size_t)(PARTS * old + new + 1) * sizeof(double)) : NULL;
    int64_t *units = room ? malloc((size_t)(old + new + 1) * sizeof(int64_t)) : NULL;
    double found[3];
    int came = 0;
    if (units)
        came = weigh(&mix, buffer[3].buf, old, buffer[4].buf, new, units, room, found);
    free(room);
    free(units);
    release(buffer, BUFFERS);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "exchange: arrays of other shapes");
    if (!units)
        return PyErr_NoMemory();
    if (came < 0)
        return PyErr_Format(PyExc_ArithmeticError, "exchange: a covariance that is none");
    if (!came)
        Py_RETURN_NONE;
    return Py_BuildValue("(ddd)", found[0], found[1], found[2]);
}
