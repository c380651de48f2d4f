/* Ramps of a move: `_Cells` of change/moves/date.py with `_paths`, which say what everything means, but for cells whose
   shares would vanish. Sums are taken in another order than theirs, so that the last digits differ. */

#include "logs.h"

#include <math.h>
#include <stdlib.h>

enum { LEVELS = 12, TILE = 32 }; /* the first is RAMP_LEVELS there */

#define FAR 600.0 /* nats from which a weight is taken by itself: in shares of its ends it might vanish */

typedef struct {
    const double *count, *scale, *seen, *sizes, *constant, *peak, *levels, *residuals;
    const int64_t *numbers;
    Py_ssize_t days, kinds, steps, rests; /* units; sizes, levels of each, and residuals of each level */
    Py_ssize_t first, onsets, longest;    /* the first onset, how many, and the longest ramp */
    double nothing, much;
} Ramp;

static Py_ssize_t cells_of(const Ramp *ramp) { return ramp->kinds * ramp->steps * ramp->rests; }

/* Units from the first onset on after which the level after may have been reached. */
static Py_ssize_t ends_of(const Ramp *ramp)
{
    const Py_ssize_t last = ramp->first + ramp->onsets + ramp->longest;
    return (last < ramp->days + 1 ? last : ramp->days + 1) - ramp->first;
}

/* Log probability of each day at one level, without the part that no level changes. */
ALWAYS_INLINE void at_level(const Ramp *ramp, double size, double level, double *value)
{
    const double log = log_of(level);
    const double *logs = ramp->seen + ramp->days; /* of the scales */
    for (Py_ssize_t day = 0; day < ramp->days; day++)
        value[day] = ramp->count[day] * (logs[day] + log)
            - (ramp->count[day] + size) * log_of(size + ramp->scale[day] * level);
}

/* What days before and since have against the most that they can have, of every cell: from each onset on, up to each end,
   and the part of a ramp's days that no level changes. */
ALWAYS_INLINE void lay_out(const Ramp *ramp, double *begun, double *over, double *rest, double *room)
{
    const Py_ssize_t days = ramp->days, ends = ends_of(ramp);
    double *high = room, *low = high + days, *most = low + days;
    const double *logs = ramp->seen + days;
    Py_ssize_t cell = 0;
    for (Py_ssize_t kind = 0; kind < ramp->kinds; kind++) {
        const double *constant = ramp->constant + kind * days, *peak = ramp->peak + kind * days;
        for (Py_ssize_t step = 0; step < ramp->steps; step++) {
            const double level = ramp->levels[kind * ramp->steps + step], size = ramp->sizes[kind];
            at_level(ramp, size, level, high);
            for (Py_ssize_t which = 0; which < ramp->rests; which++, cell++) {
                const double lowest = level * ramp->residuals[which];
                at_level(ramp, size, lowest, low);
                for (Py_ssize_t day = 0; day < days; day++) {
                    const double above = ramp->count[day] - level * ramp->scale[day];
                    const double below = ramp->count[day] - lowest * ramp->scale[day];
                    const double best = above >= 0.0 ? high[day] : below <= 0.0 ? low[day] : peak[day] - constant[day];
                    most[day] = best;
                }
                double whole = 0.0, before = 0.0, since = 0.0;
                for (Py_ssize_t day = 0; day < days; day++)
                    whole += ramp->seen[day] * (most[day] + constant[day]);
                for (Py_ssize_t day = 0; day < ramp->first + ramp->onsets; day++) {
                    if (day >= ramp->first)
                        begun[cell * ramp->onsets + day - ramp->first] = whole + before;
                    if (day < days)
                        before += ramp->seen[day] * (high[day] - most[day]);
                }
                for (Py_ssize_t day = days; day >= ramp->first; day--) {
                    if (day < ramp->first + ends)
                        over[cell * ends + day - ramp->first] = since;
                    if (day > ramp->first)
                        since += ramp->seen[day - 1] * (low[day - 1] - most[day - 1]);
                }
                for (Py_ssize_t day = ramp->first; day < ramp->first + ends && day < days; day++)
                    rest[cell * ends + day - ramp->first] = ramp->count[day] * logs[day] - most[day];
            }
        }
    }
}

/* Shares of the days of a ramp at each of its levels, of some cells side by side: (levels, units, cells). */
ALWAYS_INLINE void share(const Ramp *ramp, Py_ssize_t units, const double *level, const double *size, const double *left,
                         const double *rest, double *likely)
{
    for (int step = 0; step < LEVELS; step++) {
        double at[TILE], log[TILE];
        for (int cell = 0; cell < TILE; cell++) {
            at[cell] = level[cell] * (left[cell] + (1.0 - left[cell]) * ((LEVELS - 0.5 - step) / LEVELS));
            log[cell] = log_of(at[cell]);
        }
        for (Py_ssize_t unit = 0; unit < units; unit++) {
            const double count = ramp->count[ramp->first + unit], scale = ramp->scale[ramp->first + unit];
            const double seen = ramp->seen[ramp->first + unit];
            double *out = likely + (step * units + unit) * TILE;
            for (int cell = 0; cell < TILE; cell++)
                out[cell] = exp_of(
                    seen
                    * (count * log[cell] - (count + size[cell]) * log_of(at[cell] * scale + size[cell])
                       + rest[unit * TILE + cell]));
        }
    }
}

/* Sums over the paths of some cells, weighed and added up over them: into mass, (lengths from 0 on, onsets). */
ALWAYS_INLINE void add_paths(const Ramp *ramp, Py_ssize_t units, const double *likely, const double *begun, const double *over,
                             int far, double *mass)
{
    for (Py_ssize_t onset = 0; onset < ramp->onsets; onset++) {
        double shares[LEVELS][TILE];
        for (int level = 0; level < LEVELS; level++)
            for (int cell = 0; cell < TILE; cell++)
                shares[level][cell] = 1.0;
        double paths = 1.0; /* of C(k + n - 1, n) non-increasing paths, each is as likely as another */
        for (Py_ssize_t length = 0; length <= ramp->longest; length++) {
            if (length && onset >= ramp->numbers[length])
                break;
            if (length) {
                const double *day = likely + (onset + length - 1) * TILE;
                for (int cell = 0; cell < TILE; cell++)
                    shares[0][cell] *= day[cell];
                for (int level = 1; level < LEVELS; level++)
                    for (int cell = 0; cell < TILE; cell++)
                        shares[level][cell] = shares[level][cell] * day[level * units * TILE + cell] + shares[level - 1][cell];
                paths *= (double)length / (double)(LEVELS + length - 1);
            } else if (onset >= ramp->numbers[0])
                continue;
            const double *from = begun + onset * TILE, *to = over + (onset + length) * TILE;
            double weighed[TILE], sum = 0.0;
            if (far)
                for (int cell = 0; cell < TILE; cell++)
                    weighed[cell] = exp_of(from[cell] + to[cell]);
            else
                for (int cell = 0; cell < TILE; cell++)
                    weighed[cell] = from[cell] * to[cell];
            for (int cell = 0; cell < TILE; cell++)
                weighed[cell] *= length ? shares[LEVELS - 1][cell] : 1.0;
            for (int half = TILE / 2; half; half /= 2)
                for (int cell = 0; cell < half; cell++)
                    weighed[cell] += weighed[cell + half];
            sum = weighed[0];
            mass[length * ramp->onsets + onset] += sum * paths;
        }
    }
}

/* The sum over all cells by length and onset, against `reference`; 0 where shares of some would vanish. */
ALWAYS_INLINE int weigh(const Ramp *ramp, double *room, double *mass, double *reference)
{
    const Py_ssize_t cells = cells_of(ramp), onsets = ramp->onsets, ends = ends_of(ramp);
    const Py_ssize_t units = ends < ramp->days - ramp->first ? ends : ramp->days - ramp->first;
    double *begun = room, *over = begun + cells * onsets, *rest = over + cells * ends, *bound = rest + cells * ends;
    double *likely = bound + cells, *from = likely + LEVELS * units * TILE, *to = from + onsets * TILE;
    double *own = to + ends * TILE, *days = own + ends * TILE;
    lay_out(ramp, begun, over, rest, days);
    *reference = -INFINITY;
    for (Py_ssize_t cell = 0; cell < cells; cell++)
        for (Py_ssize_t onset = 0; onset < ramp->numbers[0]; onset++)
            if (begun[cell * onsets + onset] + over[cell * ends + onset] > *reference)
                *reference = begun[cell * onsets + onset] + over[cell * ends + onset];
    Py_ssize_t kept = 0;
    for (Py_ssize_t cell = 0; cell < cells; cell++) {
        /* The most that any ramp from an onset on may be followed by: the longest, for less is left to come. */
        double best = -INFINITY;
        for (Py_ssize_t onset = 0; onset < onsets; onset++) {
            Py_ssize_t length = ramp->longest;
            while (length && onset >= ramp->numbers[length])
                length--;
            const double most = begun[cell * onsets + onset] + over[cell * ends + onset + length];
            if ((length || onset < ramp->numbers[0]) && most > best)
                best = most;
        }
        bound[cell] = best - *reference;
        if (!(bound[cell] < ramp->much))
            return 0;
        kept += bound[cell] > -ramp->nothing;
    }
    Py_ssize_t next = 0;
    for (Py_ssize_t done = 0; done < kept; done += TILE) {
        double level[TILE], size[TILE], left[TILE];
        int far = 0;
        Py_ssize_t of[TILE];
        int here = 0;
        for (; here < TILE && next < cells; next++)
            if (bound[next] > -ramp->nothing)
                of[here++] = next;
        for (int cell = 0; cell < TILE; cell++) {
            const Py_ssize_t which = of[cell < here ? cell : 0];
            level[cell] = ramp->levels[which / ramp->rests], left[cell] = ramp->residuals[which % ramp->rests];
            size[cell] = ramp->sizes[which / ramp->rests / ramp->steps];
            for (Py_ssize_t unit = 0; unit < units; unit++)
                own[unit * TILE + cell] = rest[which * ends + unit];
            far |= begun[which * onsets] + over[which * ends + ends - 1] - *reference > FAR;
        }
        for (int cell = 0; cell < TILE; cell++) {
            const double *start = begun + of[cell < here ? cell : 0] * onsets, *stop = over + of[cell < here ? cell : 0] * ends;
            /* What fills the tile up weighs nothing. */
            const double whole = cell < here ? start[0] + stop[ends - 1] - *reference : -INFINITY;
            for (Py_ssize_t onset = 0; onset < onsets; onset++)
                from[onset * TILE + cell] = far ? (cell < here ? start[onset] - *reference : -INFINITY) : start[onset] - start[0];
            for (Py_ssize_t end = 0; end < ends; end++)
                to[end * TILE + cell] = far ? stop[end] : stop[end] - stop[ends - 1];
            if (!far)
                for (Py_ssize_t onset = 0; onset < onsets; onset++)
                    from[onset * TILE + cell] += whole;
        }
        if (!far) {
            for (Py_ssize_t at = 0; at < onsets * TILE; at++)
                from[at] = exp_of(from[at]);
            for (Py_ssize_t at = 0; at < ends * TILE; at++)
                to[at] = exp_of(to[at]);
        }
        share(ramp, units, level, size, left, own, likely);
        add_paths(ramp, units, likely, from, to, far, mass);
    }
    return 1;
}

static void release(Py_buffer *buffer, int count)
{
    for (int which = 0; which < count; which++)
        PyBuffer_Release(&buffer[which]);
}

/* ramps((count, scale, seen), (sizes, constant, peak), (levels, residuals), first, numbers, (nothing, much), mass):
   float64 without gaps, of shapes (days,), (days,), (2, days): 1 or 0, then logarithms of scales; (kinds,), twice
   (kinds, days); (kinds, steps), (rests,); the first onset; int64 (lengths,): onsets that are allowed of each length from
   0 on; and, written in place, (lengths, onsets). What it is a share of, as a logarithm; None where that cannot be told
   of some cells, and what is written is nothing either. */
WIDEST PyObject *native_ramps(PyObject *Py_UNUSED(module), PyObject *args)
{
    enum { BUFFERS = 10 };
    Py_buffer buffer[BUFFERS] = {{0}};
    PyObject *days, *kinds, *grid;
    Ramp ramp;
    if (!PyArg_ParseTuple(
            args, "O!O!O!ny*(dd)w*:ramps", &PyTuple_Type, &days, &PyTuple_Type, &kinds, &PyTuple_Type, &grid, &ramp.first,
            &buffer[0], &ramp.nothing, &ramp.much, &buffer[1]))
        return NULL;
    /* Each tuple by itself: those of one that fails are released by it. */
    if (!PyArg_ParseTuple(days, "y*y*y*:ramps", &buffer[2], &buffer[3], &buffer[4])) {
        release(buffer, 2);
        return NULL;
    }
    if (!PyArg_ParseTuple(kinds, "y*y*y*:ramps", &buffer[5], &buffer[6], &buffer[7])) {
        release(buffer, 5);
        return NULL;
    }
    if (!PyArg_ParseTuple(grid, "y*y*:ramps", &buffer[8], &buffer[9])) {
        release(buffer, 8);
        return NULL;
    }
    const Py_ssize_t one = (Py_ssize_t)sizeof(double);
    const Py_ssize_t lengths = buffer[0].len / (Py_ssize_t)sizeof(int64_t);
    ramp.numbers = buffer[0].buf, ramp.count = buffer[2].buf, ramp.scale = buffer[3].buf, ramp.seen = buffer[4].buf;
    ramp.sizes = buffer[5].buf, ramp.constant = buffer[6].buf, ramp.peak = buffer[7].buf;
    ramp.levels = buffer[8].buf, ramp.residuals = buffer[9].buf;
    ramp.days = buffer[2].len / one, ramp.kinds = buffer[5].len / one, ramp.rests = buffer[9].len / one;
    ramp.steps = ramp.kinds ? buffer[8].len / one / ramp.kinds : 0;
    ramp.longest = lengths - 1, ramp.onsets = lengths ? buffer[1].len / one / lengths : 0;
    int fits = lengths > 0 && ramp.onsets > 0 && ramp.days > 0 && ramp.steps > 0 && ramp.rests > 0 && ramp.first >= 0
        && ramp.first + ramp.onsets <= ramp.days + 1 && buffer[1].len == lengths * ramp.onsets * one
        && buffer[2].len == ramp.days * one && buffer[3].len == buffer[2].len && buffer[4].len == 2 * buffer[2].len
        && buffer[6].len == ramp.kinds * ramp.days * one && buffer[7].len == buffer[6].len
        && buffer[8].len == ramp.kinds * ramp.steps * one && buffer[9].len == ramp.rests * one;
    for (Py_ssize_t length = 0; fits && length < lengths; length++) {
        const int64_t number = ramp.numbers[length];
        fits = number <= ramp.onsets && (length < 2 || number <= ramp.numbers[length - 1])
            && (length ? number <= 0 || ramp.first + number + length <= ramp.days + 1 : number > 0);
    }
    double reference = 0.0;
    int came = 0;
    double *room = NULL;
    if (fits) {
        const Py_ssize_t ends = ends_of(&ramp), cells = cells_of(&ramp);
        room = malloc((size_t)(cells * (ramp.onsets + 2 * ends + 1) + ((LEVELS + 2) * ends + ramp.onsets) * TILE + 3 * ramp.days)
                      * sizeof(double));
    }
    if (room) {
        Py_BEGIN_ALLOW_THREADS
        came = weigh(&ramp, room, buffer[1].buf, &reference);
        Py_END_ALLOW_THREADS
        free(room);
    }
    release(buffer, BUFFERS);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "ramps: arrays of other shapes");
        return NULL;
    }
    if (!room)
        return PyErr_NoMemory();
    if (!came)
        Py_RETURN_NONE;
    return PyFloat_FromDouble(reference);
}
