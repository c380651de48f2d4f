/* What the parts of the compiled form share. */

#ifndef SPAMTIDE_NATIVE_H
#define SPAMTIDE_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

/* For loops whose length is known where they are called: only there are they made for wide registers. */
#define ALWAYS_INLINE __attribute__((always_inline)) static inline

/* Functions with such loops are made for wider registers as well, where the machine's are asked for at loading. The
   bits are the same: sums keep their order, and C11 joins no sum with its product. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#define WIDEST
#endif

PyObject *native_read_page(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_read_fields(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_read_head(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_columns(PyObject *, PyObject *);
PyObject *native_fold(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_tidy_lines(PyObject *, PyObject *);
PyObject *native_is_spaced(PyObject *, PyObject *);
PyObject *native_is_seen(PyObject *, PyObject *);
PyObject *native_redact(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_read_words(PyObject *, PyObject *);
PyObject *native_render(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_urls_in_text(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_link_authorities(PyObject *, PyObject *);
PyObject *native_recipient_paths(PyObject *, PyObject *);
PyObject *native_read_date(PyObject *, PyObject *);
PyObject *native_wordings_in(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_may_say(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_texts_in(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *native_ramps(PyObject *, PyObject *);
PyObject *native_follow(PyObject *, PyObject *);
PyObject *native_cuts(PyObject *, PyObject *);
PyObject *native_uneven(PyObject *, PyObject *);
PyObject *native_swing(PyObject *, PyObject *);
PyObject *native_exchange(PyObject *, PyObject *);
PyObject *native_levels(PyObject *, PyObject *);
PyObject *native_lines(PyObject *, PyObject *);
PyObject *native_score(PyObject *, PyObject *);
PyObject *native_dispersion(PyObject *, PyObject *);
PyObject *native_correlate(PyObject *, PyObject *);
PyObject *native_spread(PyObject *, PyObject *);
PyObject *native_mixed(PyObject *, PyObject *);
PyObject *native_shared(PyObject *, PyObject *);
PyObject *native_join_groups(PyObject *, PyObject *);
PyObject *native_most_different(PyObject *, PyObject *);
PyObject *native_bands(PyObject *, PyObject *);
PyObject *native_met(PyObject *, PyObject *);
PyObject *native_any_met(PyObject *, PyObject *);
PyObject *native_trait_begins(PyObject *, PyObject *);
PyObject *native_sift_traits(PyObject *, PyObject *);
PyObject *native_sum_traits(PyObject *, PyObject *);
PyObject *native_nearest(PyObject *, PyObject *);
PyObject *native_inner(PyObject *, PyObject *);
PyObject *native_shape(PyObject *, PyObject *const *, Py_ssize_t);

/* A string as `clean_url` of message/url.py makes it; NULL where that has to be asked, or with an error set. */
PyObject *plain_url(PyObject *text);

/* Whether a byte is surely no white space, nor the first of any. */
static inline int is_plain_byte(char c)
{
    return (c > ' ' && (unsigned char)c < 0x80) || ((unsigned char)c >= 0x80 && (unsigned char)c < 0xC2) || (unsigned char)c > 0xE3;
}

/* Bytes of the white space at the beginning of a UTF-8 text, by `str.isspace`; 0 for none. */
static inline int space_at(const char *at, const char *end)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x80)
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
    if (c == 0xC2 && end - at >= 2)
        return (unsigned char)at[1] == 0x85 || (unsigned char)at[1] == 0xA0 ? 2 : 0;
    if (c < 0xE1 || c > 0xE3 || end - at < 3)
        return 0;
    unsigned char d = (unsigned char)at[1], e = (unsigned char)at[2];
    if (c == 0xE1)
        return d == 0x9A && e == 0x80 ? 3 : 0;
    if (c == 0xE3)
        return d == 0x80 && e == 0x80 ? 3 : 0;
    if (d == 0x80)
        return e <= 0x8A || e == 0xA8 || e == 0xA9 || e == 0xAF ? 3 : 0;
    return d == 0x81 && e == 0x9F ? 3 : 0;
}

/* For qsort. */
static inline int by_size(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* The value in the middle of some, or the mean of the two there; they are sorted. */
static inline double median_of(double *values, Py_ssize_t count)
{
    qsort(values, (size_t)count, sizeof(double), by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2.0;
}

#endif
