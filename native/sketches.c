/* Sketches compared and joined: the loops of campaign/candidates.py and campaign/grouping.py, which say what
   everything means; their numbers are handed in, so that they stand in one place. */

#include "native.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VALUES 64        /* of a sketch */
#define MOST_DELEGATES 16

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* How many values two sketches share. */
static int shared(const uint32_t *one, const uint32_t *other)
{
    int count = 0;
    for (int at = 0; at < VALUES; at++)
        count += one[at] == other[at];
    return count;
}

/* A contiguous buffer of so many items of a size at least; 0 with an error set where it is none. */
static int take(PyObject *from, Py_buffer *view, Py_ssize_t width, Py_ssize_t least, int writable)
{
    if (PyObject_GetBuffer(from, view, writable ? PyBUF_CONTIG : PyBUF_CONTIG_RO) < 0) {
        view->obj = NULL;
        return 0;
    }
    if (view->itemsize == width && view->len / width >= least)
        return 1;
    PyErr_SetString(PyExc_ValueError, "a buffer of another kind or size");
    return 0;
}

static void release(Py_buffer *views, int count)
{
    for (int which = 0; which < count; which++)
        if (views[which].obj)
            PyBuffer_Release(&views[which]);
}

/* mixed(sketches, first, columns, seed, out): a 64-bit number of some values of each sketch, into out. */
PyObject *native_mixed(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *sketches, *out;
    Py_ssize_t first, columns;
    unsigned long long seed;
    if (!PyArg_ParseTuple(args, "OnnKO", &sketches, &first, &columns, &seed, &out))
        return NULL;
    Py_buffer view[2] = {{0}};
    if (take(sketches, &view[0], 4, 0, 0) && take(out, &view[1], 8, view[0].len / 4 / VALUES, 1)) {
        if (first < 0 || columns < 0 || columns > VALUES - first)
            PyErr_SetString(PyExc_ValueError, "no such values");
        else {
            const uint32_t *rows = view[0].buf;
            uint64_t *into = view[1].buf;
            Py_ssize_t count = view[0].len / 4 / VALUES;
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t row = 0; row < count; row++) {
                uint64_t number = seed;
                for (Py_ssize_t at = first; at < first + columns; at++)
                    number = mix(number + rows[row * VALUES + at]);
                into[row] = number;
            }
            Py_END_ALLOW_THREADS
        }
    }
    release(view, 2);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* bands(sketches, columns, out): a 64-bit number of each band of so many values of each sketch, band by band, into out; the
   seed is the band's number. */
PyObject *native_bands(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *sketches, *out;
    Py_ssize_t columns;
    if (!PyArg_ParseTuple(args, "OnO", &sketches, &columns, &out))
        return NULL;
    Py_buffer view[2] = {{0}};
    if (take(sketches, &view[0], 4, 0, 0) && take(out, &view[1], 8, 0, 1)) {
        Py_ssize_t count = view[0].len / 4 / VALUES, bands = columns > 0 ? VALUES / columns : 0;
        if (!bands || view[1].len / 8 != bands * count)
            PyErr_SetString(PyExc_ValueError, "a buffer of another size");
        else {
            const uint32_t *rows = view[0].buf;
            uint64_t *into = view[1].buf;
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t row = 0; row < count; row++)
                for (Py_ssize_t band = 0; band < bands; band++) {
                    uint64_t number = (uint64_t)band;
                    for (Py_ssize_t at = band * columns; at < (band + 1) * columns; at++)
                        number = mix(number + rows[row * VALUES + at]);
                    into[band * count + row] = number;
                }
            Py_END_ALLOW_THREADS
        }
    }
    release(view, 2);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* Whether all of some places are rows of a table. */
static int inside(const int64_t *places, Py_ssize_t count, Py_ssize_t rows)
{
    for (Py_ssize_t at = 0; at < count; at++)
        if (places[at] < 0 || places[at] >= rows) {
            PyErr_SetString(PyExc_IndexError, "no such sketch");
            return 0;
        }
    return 1;
}

/* shared(sketches, left, right, out): how many values each pair of sketches shares, into out, a byte each. */
PyObject *native_shared(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given[4];
    if (!PyArg_ParseTuple(args, "OOOO", &given[0], &given[1], &given[2], &given[3]))
        return NULL;
    Py_buffer view[4] = {{0}};
    if (take(given[0], &view[0], 4, 0, 0) && take(given[1], &view[1], 8, 0, 0)
        && take(given[2], &view[2], 8, view[1].len / 8, 0) && take(given[3], &view[3], 1, view[1].len / 8, 1)) {
        const uint32_t *rows = view[0].buf;
        const int64_t *left = view[1].buf, *right = view[2].buf;
        unsigned char *into = view[3].buf;
        Py_ssize_t pairs = view[1].len / 8, count = view[0].len / 4 / VALUES;
        if (inside(left, pairs, count) && inside(right, pairs, count)) {
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t at = 0; at < pairs; at++)
                into[at] = (unsigned char)shared(rows + left[at] * VALUES, rows + right[at] * VALUES);
            Py_END_ALLOW_THREADS
        }
    }
    release(view, 4);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* most_different(sketches, members, taken): places in members of the first and then, again and again, of that least like
   those taken, into taken. */
PyObject *native_most_different(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given[3];
    if (!PyArg_ParseTuple(args, "OOO", &given[0], &given[1], &given[2]))
        return NULL;
    Py_buffer view[3] = {{0}};
    unsigned char *nearest = NULL;
    if (take(given[0], &view[0], 4, 0, 0) && take(given[1], &view[1], 8, 1, 0) && take(given[2], &view[2], 8, 1, 1)) {
        const uint32_t *rows = view[0].buf;
        const int64_t *members = view[1].buf;
        int64_t *taken = view[2].buf;
        Py_ssize_t count = view[1].len / 8, most = view[2].len / 8;
        if (inside(members, count, view[0].len / 4 / VALUES) && !(nearest = calloc((size_t)count, 1)))
            PyErr_NoMemory();
        if (nearest) {
            Py_BEGIN_ALLOW_THREADS
            taken[0] = 0;
            for (Py_ssize_t next = 1; next < most; next++) {
                const uint32_t *last = rows + members[taken[next - 1]] * VALUES;
                Py_ssize_t least = 0;
                for (Py_ssize_t at = 0; at < count; at++) {
                    unsigned char alike = (unsigned char)shared(last, rows + members[at] * VALUES);
                    nearest[at] = alike > nearest[at] ? alike : nearest[at];
                    least = nearest[at] < nearest[least] ? at : least;
                }
                taken[next] = least;
            }
            Py_END_ALLOW_THREADS
        }
    }
    free(nearest);
    release(view, 3);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* any_met(numbers, sieve, asked) -> whether any number is among those asked, ascending; sieve: a bit for the first bits of
   each of them. */
PyObject *native_any_met(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given[3];
    if (!PyArg_ParseTuple(args, "OOO", &given[0], &given[1], &given[2]))
        return NULL;
    Py_buffer view[3] = {{0}};
    int met = 0;
    if (take(given[0], &view[0], 8, 0, 0) && take(given[1], &view[1], 1, 1, 0) && take(given[2], &view[2], 8, 0, 0)) {
        const uint64_t *numbers = view[0].buf, *asked = view[2].buf;
        const unsigned char *sieve = view[1].buf;
        Py_ssize_t count = view[0].len / 8, most = view[2].len / 8;
        int bits = 3;
        while (bits < 40 && (Py_ssize_t)1 << (bits - 3) < view[1].len)
            bits++;
        if ((Py_ssize_t)1 << (bits - 3) != view[1].len)
            PyErr_SetString(PyExc_ValueError, "a sieve of another size");
        else {
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t at = 0; !met && at < count; at++) {
                uint64_t number = numbers[at], place = number >> (64 - bits);
                if (!(sieve[place >> 3] >> (place & 7) & 1))
                    continue;
                Py_ssize_t low = 0, high = most;
                while (low < high) {
                    Py_ssize_t middle = (low + high) / 2;
                    if (asked[middle] < number)
                        low = middle + 1;
                    else
                        high = middle;
                }
                met = low < most && asked[low] == number;
            }
            Py_END_ALLOW_THREADS
        }
    }
    release(view, 3);
    if (PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(met);
}

/* ------------------------------------------------------------------------------------------------ groups */

typedef struct {
    uint64_t pair; /* the lower root above, the higher below; 0 is no pair, for a group is none with itself */
    int64_t size;
} Refusal;

typedef struct {
    Refusal *at;
    size_t room, used;
} Refusals;

typedef struct {
    int32_t member[MOST_DELEGATES]; /* ascending by rank */
    int count;                      /* 0: not drawn yet */
    int known;                      /* whether `inner` is */
    double inner;
} Delegates;

typedef struct {
    const uint32_t *rows;
    const uint64_t *rank;
    const int64_t *order, *begins;
    int64_t *parent, *size;
    Delegates *delegates; /* by root */
    Refusals refused;
    int most, grown;
    double least, likeness;
} Joining;

static Refusal *refusal_of(Refusals *refused, uint64_t pair)
{
    size_t at = (size_t)mix(pair) & (refused->room - 1);
    while (refused->at[at].pair && refused->at[at].pair != pair)
        at = (at + 1) & (refused->room - 1);
    return &refused->at[at];
}

/* Note a refusal; 0 where there is no memory. */
static int refuse(Refusals *refused, uint64_t pair, int64_t size)
{
    if (2 * (refused->used + 1) > refused->room) {
        Refusals larger = {calloc(refused->room * 2, sizeof(Refusal)), refused->room * 2, refused->used};
        if (!larger.at)
            return 0;
        for (size_t at = 0; at < refused->room; at++)
            if (refused->at[at].pair)
                *refusal_of(&larger, refused->at[at].pair) = refused->at[at];
        free(refused->at);
        *refused = larger;
    }
    Refusal *here = refusal_of(refused, pair);
    refused->used += !here->pair;
    here->pair = pair;
    here->size = size;
    return 1;
}

static int64_t find(int64_t *parent, int64_t member)
{
    while (parent[member] != member) {
        parent[member] = parent[parent[member]];
        member = parent[member];
    }
    return member;
}

/* Put a sketch among those of lowest rank. */
static void draw(const Joining *joining, Delegates *into, int32_t member)
{
    uint64_t rank = joining->rank[member];
    int at = into->count;
    while (at && joining->rank[into->member[at - 1]] > rank)
        at--;
    if (at == joining->most)
        return;
    int last = into->count < joining->most ? into->count++ : into->count - 1;
    memmove(into->member + at + 1, into->member + at, (size_t)(last - at) * sizeof *into->member);
    into->member[at] = member;
}

static Delegates *delegates_of(const Joining *joining, int64_t root)
{
    Delegates *found = &joining->delegates[root];
    if (!found->count)
        for (int64_t at = joining->begins[root]; at < joining->begins[root + 1]; at++)
            draw(joining, found, (int32_t)joining->order[at]);
    return found;
}

/* Sum of the similarities of all pairs. */
static double alike(const Joining *joining, const Delegates *ours, const Delegates *theirs)
{
    int64_t count = 0;
    for (int one = 0; one < ours->count; one++)
        for (int other = 0; other < theirs->count; other++)
            count += shared(joining->rows + (Py_ssize_t)ours->member[one] * VALUES,
                            joining->rows + (Py_ssize_t)theirs->member[other] * VALUES);
    return (double)count / VALUES;
}

static int agree(const Joining *joining, const Delegates *ours, const Delegates *theirs, Delegates *larger, int variants)
{
    if (variants && ours->count == 1 && theirs->count == 1)
        return 1;
    if (!variants && larger->count < joining->grown)
        return 0;
    double inner = 0.0;
    if (larger->count >= joining->grown) {
        if (!larger->known) {
            larger->inner = (alike(joining, larger, larger) - larger->count) / (larger->count * (larger->count - 1));
            larger->known = 1;
        }
        inner = larger->inner;
    }
    double least = joining->likeness * inner;
    if (least < joining->least)
        least = joining->least;
    return alike(joining, ours, theirs) / (ours->count * theirs->count) >= least;
}

/* Make one group of two, unless they disagree; 0 where there is no memory. */
static int join(Joining *joining, int64_t one, int64_t other, int variants)
{
    int64_t left = find(joining->parent, one), right = find(joining->parent, other);
    if (left == right)
        return 1;
    if (left > right) {
        int64_t kept = left;
        left = right;
        right = kept;
    }
    int64_t size = joining->size[left] + joining->size[right];
    uint64_t pair = (uint64_t)left << 32 | (uint64_t)right;
    Refusal *before = refusal_of(&joining->refused, pair);
    if (before->pair && size < 2 * before->size)
        return 1;
    Delegates *ours = delegates_of(joining, left), *theirs = delegates_of(joining, right);
    int swapped = joining->size[left] < joining->size[right];
    if (!agree(joining, ours, theirs, swapped ? theirs : ours, variants))
        return refuse(&joining->refused, pair, size);
    if (swapped) {
        int64_t kept = left;
        left = right;
        right = kept;
        Delegates *heard = ours;
        ours = theirs;
        theirs = heard;
    }
    joining->parent[right] = left;
    joining->size[left] = size;
    int before_count = ours->count, changed = 0;
    if (before_count < joining->most
        || joining->rank[theirs->member[0]] < joining->rank[ours->member[before_count - 1]]) {
        for (int at = 0; at < theirs->count; at++)
            draw(joining, ours, theirs->member[at]);
        changed = 1;
    }
    if (changed)
        ours->known = 0;
    return 1;
}

/* join_groups(sketches, rank, order, begins, parent, size, left, right, variants, most, grown, least, likeness):
   `Groups.join_all` for pairs in their order; parent and size are written. */
PyObject *native_join_groups(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given[9];
    Joining joining = {0};
    if (!PyArg_ParseTuple(args, "OOOOOOOOOiidd", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &given[8], &joining.most, &joining.grown, &joining.least,
                          &joining.likeness))
        return NULL;
    Py_buffer view[9] = {{0}};
    int done = 0;
    if (take(given[0], &view[0], 4, 0, 0)) {
        Py_ssize_t count = view[0].len / 4 / VALUES;
        done = take(given[1], &view[1], 8, count, 0) && take(given[2], &view[2], 8, count, 0)
               && take(given[3], &view[3], 8, count + 1, 0) && take(given[4], &view[4], 8, count, 1)
               && take(given[5], &view[5], 8, count, 1) && take(given[6], &view[6], 8, 0, 0)
               && take(given[7], &view[7], 8, view[6].len / 8, 0) && take(given[8], &view[8], 1, view[6].len / 8, 0);
        if (done && (count >= INT32_MAX || joining.most < 1 || joining.most > MOST_DELEGATES)) {
            PyErr_SetString(PyExc_ValueError, "too many sketches or delegates");
            done = 0;
        }
        joining.rows = view[0].buf;
        joining.rank = view[1].buf;
        joining.order = view[2].buf;
        joining.begins = view[3].buf;
        joining.parent = view[4].buf;
        joining.size = view[5].buf;
        const int64_t *left = view[6].buf, *right = view[7].buf;
        const unsigned char *variants = view[8].buf;
        Py_ssize_t pairs = view[6].len / 8;
        done = done && inside(joining.order, count, count) && inside(joining.parent, count, count)
               && inside(joining.begins, count + 1, count + 1) && inside(left, pairs, count) && inside(right, pairs, count);
        if (done) {
            joining.delegates = calloc((size_t)count + 1, sizeof *joining.delegates);
            joining.refused = (Refusals){calloc(1024, sizeof(Refusal)), 1024, 0};
            done = joining.delegates && joining.refused.at;
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t at = 0; done && at < pairs; at++)
                done = join(&joining, left[at], right[at], variants[at]);
            Py_END_ALLOW_THREADS
            free(joining.delegates);
            free(joining.refused.at);
            if (!done)
                PyErr_NoMemory();
        }
    }
    release(view, 9);
    if (!done)
        return NULL;
    Py_RETURN_NONE;
}
