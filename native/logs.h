/* Logarithms, exponentials and sums of loops that take many at once: the C library's are taken one by one. Their last bit
   may differ from its; it is the same on every machine, for no sum is joined with its product. */

#ifndef SPAMTIDE_LOGS_H
#define SPAMTIDE_LOGS_H

#include "native.h"

#include <stdint.h>
#include <string.h>

ALWAYS_INLINE uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

ALWAYS_INLINE double of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Natural logarithm of a positive, normal number, within one unit of its last place (the series of FreeBSD's e_log.c,
   by Sun Microsystems 1993: its permission to use, copy, modify and distribute it freely, with this notice, is given). */
ALWAYS_INLINE double log_of(double x)
{
    const uint64_t half = 0x3FE6A09E667F3BCDu; /* the root of a half: what is left lies between it and its double */
    const uint64_t moved = bits_of(x) + (0x3FF0000000000000u - half);
    const double power = of_bits((moved >> 52) | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
    const double f = of_bits((moved & 0x000FFFFFFFFFFFFFu) + half) - 1.0, s = f / (2.0 + f), z = s * s, w = z * z;
    const double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    const double odd = z
        * (6.666666666666735130e-01
           + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const double square = 0.5 * f * f;
    return power * 6.93147180369123816490e-01
        + ((s * (square + (even + odd)) + power * 1.90821492927058770002e-10) - square + f);
}

enum { LANES = 8 };

/* A sum, in lanes that do not wait for one another. */
ALWAYS_INLINE double sum_of(const double *values, Py_ssize_t count)
{
    double lane[LANES] = {0};
    Py_ssize_t at = 0;
    for (; at + LANES <= count; at += LANES)
        for (int which = 0; which < LANES; which++)
            lane[which] += values[at + which];
    for (; at < count; at++)
        lane[0] += values[at];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* Logarithm of 1 + x, x >= 0. */
ALWAYS_INLINE double log_of_one_and(double x)
{
    const double whole = 1.0 + x, kept = whole - 1.0;
    return kept > 0.0 ? log_of(whole) * (x / kept) : x;
}

/* Exponential of at most 709; 0 below -708. */
ALWAYS_INLINE double exp_of(double x)
{
    const double round = 6755399441055744.0; /* 1.5 * 2^52: what is added to it is a whole number afterwards */
    const double held = x < -708.0 ? -708.0 : x;
    const double shifted = held * 1.44269504088896338700 + round, power = shifted - round;
    const double r = (held - power * 6.93147180369123816490e-01) - power * 1.90821492927058770002e-10;
    double sum = 1.0 / 6227020800.0; /* Taylor's series: half a logarithm of 2 away, the next term is 1e-17 */
    sum = sum * r + 1.0 / 479001600.0;
    sum = sum * r + 1.0 / 39916800.0;
    sum = sum * r + 1.0 / 3628800.0;
    sum = sum * r + 1.0 / 362880.0;
    sum = sum * r + 1.0 / 40320.0;
    sum = sum * r + 1.0 / 5040.0;
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r + 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    const double scale = of_bits((bits_of(shifted) + 1023u) << 52);
    return x < -708.0 ? 0.0 : sum * scale;
}

#endif
