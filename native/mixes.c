/* How uneven mixes are: `intra_day` of change/mixes/mix.py and `swing` of turnover.py, which say what everything means.
   Sums are taken in another order than theirs, so that the last digits differ. */

#include "native.h"

#include <math.h>
#include <stdlib.h>

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
