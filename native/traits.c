/* Traits weighed: the loops of campaign/weighing.py, which says what everything means. Sums keep the order of the Python,
   NumPy's of eight terms side by side among it, and so its bits. */

#include "native.h"

#include <stdint.h>

#define KINDS 5
#define SIDE_BY_SIDE 8
#define BLOCK 128

/* Sum of some values, as NumPy adds them. */
static double pairwise(const double *values, Py_ssize_t count)
{
    if (count < SIDE_BY_SIDE) {
        double sum = -0.0;
        for (Py_ssize_t at = 0; at < count; at++)
            sum += values[at];
        return sum;
    }
    if (count <= BLOCK) {
        double side[SIDE_BY_SIDE];
        Py_ssize_t at = 0;
        for (; at < SIDE_BY_SIDE; at++)
            side[at] = values[at];
        for (; at < count - count % SIDE_BY_SIDE; at += SIDE_BY_SIDE)
            for (Py_ssize_t each = 0; each < SIDE_BY_SIDE; each++)
                side[each] += values[at + each];
        double sum = ((side[0] + side[1]) + (side[2] + side[3])) + ((side[4] + side[5]) + (side[6] + side[7]));
        for (; at < count; at++)
            sum += values[at];
        return sum;
    }
    Py_ssize_t half = count / 2;
    half -= half % SIDE_BY_SIDE;
    return pairwise(values, half) + pairwise(values + half, count - half);
}

/* trait_begins(entries, begins) -> how many traits sorted entries are of; where each begins is written. */
PyObject *native_trait_begins(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer given, begins;
    if (!PyArg_ParseTuple(args, "y*w*:trait_begins", &given, &begins))
        return NULL;
    Py_ssize_t count = given.len / 8, found = 0;
    int fits = begins.len / 8 > count;
    if (fits) {
        const uint64_t *entries = given.buf;
        int64_t *first = begins.buf;
        Py_BEGIN_ALLOW_THREADS
        uint64_t last = count ? ~(entries[0] >> 32) : 0;
        for (Py_ssize_t at = 0; at < count; at++) {
            uint64_t trait = entries[at] >> 32;
            first[found] = at;
            found += trait != last;
            last = trait;
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&given);
    PyBuffer_Release(&begins);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "trait_begins: arrays of other shapes");
        return NULL;
    }
    return PyLong_FromSsize_t(found);
}

enum { ENTRIES, BEGINS, KIND, WEIGHT, LENGTHS, SIFTED };

/* Whether traits begin in order within so many entries, the first at none. */
static int ascend(const int64_t *begins, Py_ssize_t traits, Py_ssize_t entries)
{
    for (Py_ssize_t at = 0; at < traits; at++)
        if (begins[at] < 0 || begins[at] >= entries || (at ? begins[at] <= begins[at - 1] : begins[at] != 0))
            return 0;
    return traits > 0 || entries == 0;
}

static void release(Py_buffer *view, int count)
{
    for (int which = 0; which < count; which++)
        PyBuffer_Release(&view[which]);
}

/* sift_traits(entries, begins, kinds, weights, lengths, phrase) -> how many entries are of recurring traits: these are put to
   the front, and squared weights are added to the lengths, four for each exemplar. */
PyObject *native_sift_traits(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer view[SIFTED];
    int phrase;
    if (!PyArg_ParseTuple(args, "w*y*y*y*w*i:sift_traits", &view[ENTRIES], &view[BEGINS], &view[KIND], &view[WEIGHT],
                          &view[LENGTHS], &phrase))
        return NULL;
    Py_ssize_t count = view[ENTRIES].len / 8, traits = view[BEGINS].len / 8, kept = 0;
    uint64_t total = (uint64_t)view[LENGTHS].len / 32;
    uint64_t *entries = view[ENTRIES].buf;
    const int64_t *begins = view[BEGINS].buf, *kinds = view[KIND].buf;
    const double *weights = view[WEIGHT].buf;
    double *lengths = view[LENGTHS].buf;
    int fits = view[KIND].len / 8 == traits && view[WEIGHT].len / 8 == traits && ascend(begins, traits, count);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t trait = 0; fits && trait < traits; trait++) {
            Py_ssize_t end = trait + 1 < traits ? begins[trait + 1] : count;
            int recurs = end - begins[trait] > 1, told = kinds[trait] == phrase;
            double square = recurs || told ? weights[trait] * weights[trait] : 0.0;
            for (Py_ssize_t at = begins[trait]; at < end; at++) {
                uint64_t owner = entries[at] & UINT32_MAX;
                if (owner >= total) {
                    fits = 0;
                    break;
                }
                lengths[4 * owner + 2 * (uint64_t)told + (uint64_t)recurs] += square;
                entries[kept] = entries[at];
                kept += recurs;
            }
        }
        Py_END_ALLOW_THREADS
    }
    release(view, SIFTED);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "sift_traits: arrays of other shapes");
        return NULL;
    }
    return PyLong_FromSsize_t(kept);
}

enum { SCALE = LENGTHS, STRAIN, NORMS, RECURRING, VALUES, OWNERS, COUNTS, SUMMED };

/* sum_traits(entries, begins, kinds, weights, scale, strains, norms, recurring, values, owners, counts, phrase, line) ->
   how many sums of features that two strains have were written into values and owners; counts has the number of strains
   of each trait, 0 where it is one. Scale is of two numbers an exemplar. */
PyObject *native_sum_traits(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer view[SUMMED];
    int phrase, line;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*w*w*w*w*w*ii:sum_traits", &view[ENTRIES], &view[BEGINS], &view[KIND],
                          &view[WEIGHT], &view[SCALE], &view[STRAIN], &view[NORMS], &view[RECURRING], &view[VALUES],
                          &view[OWNERS], &view[COUNTS], &phrase, &line))
        return NULL;
    Py_ssize_t count = view[ENTRIES].len / 8, traits = view[BEGINS].len / 8, written = 0;
    Py_ssize_t total = view[STRAIN].len / 8, strains = view[RECURRING].len / 8;
    const uint64_t *entries = view[ENTRIES].buf;
    const int64_t *begins = view[BEGINS].buf, *kinds = view[KIND].buf, *strain = view[STRAIN].buf;
    const double *weights = view[WEIGHT].buf, *scale = view[SCALE].buf;
    double *norms = view[NORMS].buf, *values = view[VALUES].buf;
    int64_t *recurring = view[RECURRING].buf, *counts = view[COUNTS].buf;
    int32_t *owners = view[OWNERS].buf;
    int fits = view[KIND].len / 8 == traits && view[WEIGHT].len / 8 == traits && view[COUNTS].len / 8 == traits
               && view[SCALE].len / 16 == total && view[NORMS].len / 8 == KINDS * strains && view[VALUES].len / 8 >= count
               && view[OWNERS].len / 4 >= count && ascend(begins, traits, count);
    for (Py_ssize_t at = 0; fits && at < total; at++)
        fits = strain[at] >= 0 && strain[at] < strains;
    for (Py_ssize_t trait = 0; fits && trait < traits; trait++)
        fits = kinds[trait] >= 0 && kinds[trait] < KINDS;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t trait = 0; fits && trait < traits; trait++) {
            Py_ssize_t at = begins[trait], end = trait + 1 < traits ? begins[trait + 1] : count, first = written;
            int told = kinds[trait] == phrase;
            while (at < end) {
                Py_ssize_t held = 0;
                int64_t owner = -1;
                /* The values of one strain, behind the sums so far: never more than there are entries. */
                for (; at < end; at++, held++) {
                    uint64_t row = entries[at] & UINT32_MAX;
                    if (row >= (uint64_t)total) {
                        fits = 0;
                        break;
                    }
                    if (held && strain[row] != owner)
                        break;
                    owner = strain[row];
                    values[written + held] = weights[trait] * scale[2 * row + (uint64_t)told];
                }
                if (!fits)
                    break;
                double sum = values[written];
                if (held > 1)
                    sum += pairwise(values + written + 1, held - 1);
                norms[KINDS * owner + kinds[trait]] += sum * sum;
                recurring[owner] += kinds[trait] == line ? 0 : held;
                values[written] = sum;
                owners[written++] = (int32_t)owner;
            }
            counts[trait] = written - first > 1 ? written - first : 0;
            if (!counts[trait])
                written = first;
        }
        Py_END_ALLOW_THREADS
    }
    release(view, SUMMED);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "sum_traits: arrays of other shapes");
        return NULL;
    }
    return PyLong_FromSsize_t(written);
}
