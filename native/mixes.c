/* How uneven mixes are and what moved in them: `intra_day` of change/mixes/mix.py, `swing` of turnover.py and what
   `weigh_exchange` of exchange.py fits, which say what everything means. Sums are taken in another order than theirs, so
   that the last digits differ. */

#include "logs.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* The value in the middle of some, or the mean of the two there; they are sorted. */
static double median_of(double *values, Py_ssize_t count)
{
    qsort(values, (size_t)count, sizeof(double), by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2.0;
}

/* ------------------------------------------------------------------------------------------------ how uneven mixes are */

enum { WINDOW = 14, APART = 7 };

typedef struct {
    double chi2, informative;
    Py_ssize_t freedom, units;
} Spread;

/* Adds units [first, stop) without one of them (-1 for none) to what parts differ by; `informative` is a sum till the end. */
static void add_part(const double *part, Py_ssize_t programmes, int first, int stop, int without, Spread *spread)
{
    double of_unit[WINDOW] = {0}, whole = 0.0;
    Py_ssize_t alive = 0, units = 0;
    for (Py_ssize_t p = 0; p < programmes; p++) {
        double mine = 0.0;
        for (int unit = first; unit < stop; unit++)
            if (unit != without) {
                mine += part[p * WINDOW + unit];
                of_unit[unit] += part[p * WINDOW + unit];
            }
        alive += mine > 0.0;
        whole += mine;
    }
    for (int unit = first; unit < stop; unit++)
        units += unit != without;
    if (alive < 2)
        return;
    for (Py_ssize_t p = 0; p < programmes; p++) {
        double mine = 0.0;
        for (int unit = first; unit < stop; unit++)
            if (unit != without)
                mine += part[p * WINDOW + unit];
        if (!(mine > 0.0))
            continue;
        for (int unit = first; unit < stop; unit++)
            if (unit != without) {
                const double expected = mine / whole * of_unit[unit], off = part[p * WINDOW + unit] - expected;
                spread->chi2 += off * off / expected;
            }
    }
    spread->freedom += (alive - 1) * (units - 1);
    for (int unit = first; unit < stop; unit++)
        if (unit != without)
            spread->informative += of_unit[unit] - 1.0;
    spread->units += units;
}

/* The parts on either side of a unit, which is left out where there is one. */
static Spread parted(const double *part, Py_ssize_t programmes, int units, int at, int without)
{
    Spread found = {0};
    add_part(part, programmes, 0, at, without, &found);
    add_part(part, programmes, at, units, without, &found);
    found.informative /= (double)(found.units > 0 ? found.units : 1);
    return found;
}

static int tells(const Spread *spread, Py_ssize_t least)
{
    return spread->units >= least && spread->freedom > 0 && spread->informative > 0.0;
}

static int explains(const Spread *whole, const Spread *parts, double a_step)
{
    const double parted = (double)(whole->freedom - parts->freedom);
    return whole->chi2 - parts->chi2 > a_step * parted * parts->chi2 / (double)(parts->freedom > 1 ? parts->freedom : 1);
}

/* `_step`. */
static int step_of(const double *part, Py_ssize_t programmes, int units, double slight)
{
    double total[WINDOW] = {0}, least = INFINITY;
    int best = 1;
    for (Py_ssize_t p = 0; p < programmes; p++)
        for (int unit = 0; unit < units; unit++)
            total[unit] += part[p * WINDOW + unit];
    for (int at = 1; at < units; at++) {
        double chi2 = 0.0;
        for (int side = 0; side < 2; side++) {
            double whole = 0.0, sum = 0.0;
            Py_ssize_t alive = 0;
            for (Py_ssize_t p = 0; p < programmes; p++) {
                double mine = 0.0, square = 0.0;
                for (int unit = side ? at : 0; unit < (side ? units : at); unit++) {
                    const double count = part[p * WINDOW + unit];
                    mine += count;
                    square += count * count / total[unit];
                }
                whole += mine;
                if (mine > 0.0) {
                    alive++;
                    sum += square / mine;
                }
            }
            const double found = whole * sum - whole;
            if (alive > 1 && found > slight * whole)
                chi2 += found;
        }
        if (chi2 < least) {
            least = chi2;
            best = at;
        }
    }
    return best;
}

/* Whether a unit's shares lie between those of the sides of it: `_turns`. */
static int lies_between(const double *part, Py_ssize_t programmes, int units, int unit)
{
    double whole[3] = {0};
    if (unit <= 0 || unit + 1 >= units)
        return 0;
    for (Py_ssize_t p = 0; p < programmes; p++)
        for (int at = 0; at < units; at++)
            whole[at < unit ? 0 : at == unit ? 1 : 2] += part[p * WINDOW + at];
    for (Py_ssize_t p = 0; p < programmes; p++) {
        double mine[3] = {0};
        for (int at = 0; at < units; at++)
            mine[at < unit ? 0 : at == unit ? 1 : 2] += part[p * WINDOW + at];
        const double before = mine[0] / whole[0], turn = mine[1] / whole[1], after = mine[2] / whole[2];
        if (turn < (before < after ? before : after) || turn > (before < after ? after : before))
            return 0;
    }
    return 1;
}

/* What one window says of rho; no number where it says nothing. */
static double uneven(const double *part, Py_ssize_t programmes, int units, Py_ssize_t least, double a_step, double slight)
{
    Spread whole = parted(part, programmes, units, units, -1);
    if (!tells(&whole, least))
        return NAN;
    if (units > least) {
        const int at = step_of(part, programmes, units, slight);
        Spread sides = parted(part, programmes, units, at, -1);
        if (explains(&whole, &sides, a_step))
            whole = sides;
        else {
            Spread turns[2];
            int count = 0;
            for (int unit = at - 1; unit <= at; unit++)
                if (lies_between(part, programmes, units, unit))
                    turns[count++] = parted(part, programmes, units, unit, unit);
            if (count == 2 && turns[1].chi2 < turns[0].chi2) {
                const Spread held = turns[0];
                turns[0] = turns[1], turns[1] = held;
            }
            for (int turn = 0; turn < count; turn++)
                if (explains(&whole, &turns[turn], a_step)) {
                    whole = turns[turn];
                    break;
                }
        }
    }
    return tells(&whole, least) ? (whole.chi2 / (double)whole.freedom - 1.0) / whole.informative : NAN;
}

/* uneven(count, programmes, (fewest units, F of a step, slight), out): float64 without gaps, (programmes, units), and,
   written, what each window says; no number where it says nothing. */
PyObject *native_uneven(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer count, out;
    Py_ssize_t programmes, least;
    double a_step, slight;
    if (!PyArg_ParseTuple(args, "y*n(ndd)w*:uneven", &count, &programmes, &least, &a_step, &slight, &out))
        return NULL;
    const Py_ssize_t one = (Py_ssize_t)sizeof(double), units = programmes > 0 ? count.len / one / programmes : 0;
    const Py_ssize_t windows = out.len / one;
    const int fits = units > 0 && count.len == units * programmes * one && out.len == windows * one
        && (windows == 0 || (windows - 1) * APART < units);
    double *part = fits ? malloc((size_t)(programmes * WINDOW) * sizeof(double)) : NULL;
    if (part) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t window = 0; window < windows; window++) {
            int kept = 0;
            for (Py_ssize_t unit = window * APART; unit < units && unit < window * APART + WINDOW; unit++) {
                double total = 0.0;
                for (Py_ssize_t p = 0; p < programmes; p++)
                    total += part[p * WINDOW + kept] = ((const double *)count.buf)[p * units + unit];
                kept += total > 0.0;
            }
            ((double *)out.buf)[window] = uneven(part, programmes, kept, least, a_step, slight);
        }
        Py_END_ALLOW_THREADS
        free(part);
    }
    PyBuffer_Release(&count);
    PyBuffer_Release(&out);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "uneven: arrays of other shapes");
    if (!part)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* --------------------------------------------------------------------------------------------- how far a share swings */

/* A percentile of sorted values, as numpy has it. */
static double at_share(const double *ordered, Py_ssize_t count, double share)
{
    const double place = (double)(count - 1) * share;
    const Py_ssize_t whole = (Py_ssize_t)place, next = whole + 1 < count ? whole + 1 : count - 1;
    const double part = place - (double)whole, below = ordered[whole], above = ordered[next];
    return part >= 0.5 ? above - (above - below) * (1.0 - part) : below + (above - below) * part;
}

/* swing(part, total, rho, window, (low, high, range)): float64 without gaps, (units,) each: see `swing`. */
PyObject *native_swing(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer part, total;
    double rho, low, high, range, found = 0.0;
    Py_ssize_t window;
    if (!PyArg_ParseTuple(args, "y*y*dn(ddd):swing", &part, &total, &rho, &window, &low, &high, &range))
        return NULL;
    const Py_ssize_t units = total.len / (Py_ssize_t)sizeof(double);
    const int fits = part.len == total.len && window > 0;
    double *shares = fits ? malloc((size_t)(2 * units + 1) * sizeof(double)) : NULL;
    if (shares) {
        double *weeks = shares + units, mean = 0.0;
        Py_ssize_t seen = 0;
        for (Py_ssize_t first = 0; first + window <= units; first++) {
            double mine = 0.0, weekly = 0.0;
            for (Py_ssize_t unit = first; unit < first + window; unit++) {
                mine += ((const double *)part.buf)[unit];
                weekly += ((const double *)total.buf)[unit];
            }
            if (weekly > 0.0) {
                shares[seen] = mine / weekly;
                weeks[seen++] = weekly;
                mean += mine / weekly;
            }
        }
        if (seen && units > window) {
            const double number = median_of(weeks, seen), daily = number / (double)window;
            mean /= (double)seen;
            qsort(shares, (size_t)seen, sizeof(double), by_size);
            const double apart = at_share(shares, seen, high) - at_share(shares, seen, low);
            const double beyond = daily > 1.0 ? daily - 1.0 : 0.0;
            const double chance = mean * (1.0 - mean) * (1.0 + beyond * rho) / number;
            const double left = apart * apart - range * range * chance;
            found = left > 0.0 ? sqrt(left) : 0.0;
        }
        free(shares);
    }
    PyBuffer_Release(&part);
    PyBuffer_Release(&total);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "swing: arrays of other shapes");
    return shares ? PyFloat_FromDouble(found) : PyErr_NoMemory();
}

/* --------------------------------------------------------------------------------------------------- what moved in them */

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
