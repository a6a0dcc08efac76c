#include "core/exactmath.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ln 2 in two parts; the high part has 20 trailing zero bits, so n * high is exact for |n| < 2^20. */
static const double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;

double rt_exp(double x) {
    if (!(x == x)) return x;
    if (x > 709.78) return INFINITY;
    if (x < -745.2) return 0;
    double n = rint(x * 1.44269504088896338700);
    double r = fma(-n, LN2_HIGH, x);
    r = fma(-n, LN2_LOW, r);
    /* Taylor to r^13 / 13!; |r| <= 0.347 leaves a relative remainder below 1e-17. */
    double p = 1.0 / 6227020800.0;
    static const double INVERSE_FACTORIAL[] = {
        1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
    for (int i = 0; i < 13; i++) p = fma(p, r, INVERSE_FACTORIAL[i]);
    /* Two steps of scaling, so that subnormal results round once. */
    int e = (int)n, half = e / 2;
    p *= from_bits((uint64_t)(half + 1023) << 52);
    return p * from_bits((uint64_t)(e - half + 1023) << 52);
}

double rt_log(double x) {
    if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
    if (x > 1.7976931348623157e308) return x;
    int e = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        e = -54;
    }
    uint64_t bits = to_bits(x);
    e += (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
    if (m > 1.41421356237309504880) {
        m *= 0.5;
        e++;
    }
    /* log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172; the next term would be below 1e-19. */
    double s = (m - 1) / (m + 1), z = s * s, p = 1.0 / 25;
    for (int k = 23; k >= 1; k -= 2) p = fma(p, z, 1.0 / k);
    return fma(e, LN2_HIGH, fma(e, LN2_LOW, 2 * s * p));
}

double rt_pow(double x, double y) {
    return rt_exp(y * rt_log(x));
}

/* x = quadrant * pi/2 + r, |r| <= pi/4, by a three-part pi/2 (Cody and Waite). */
static double reduce(double x, int *quadrant) {
    double n = rint(x * 6.36619772367581382433e-01);
    double r = fma(-n, 1.57079632673412561417e+00, x);
    r = fma(-n, 6.07710050630396597660e-11, r);
    r = fma(-n, 2.02226624879595063154e-21, r);
    *quadrant = (int)((int64_t)n & 3);
    return r;
}

static double sin_kernel(double r) {
    double z = r * r, p = -1.0 / 121645100408832000.0;
    static const double C[] = {1.0 / 355687428096000.0,
                               -1.0 / 1307674368000.0,
                               1.0 / 6227020800.0,
                               -1.0 / 39916800,
                               1.0 / 362880,
                               -1.0 / 5040,
                               1.0 / 120,
                               -1.0 / 6};
    for (int i = 0; i < 8; i++) p = fma(p, z, C[i]);
    return fma(r * z, p, r);
}

static double cos_kernel(double r) {
    double z = r * r, p = 1.0 / 2432902008176640000.0;
    static const double C[] = {-1.0 / 6402373705728000.0,
                               1.0 / 20922789888000.0,
                               -1.0 / 87178291200.0,
                               1.0 / 479001600,
                               -1.0 / 3628800,
                               1.0 / 40320,
                               -1.0 / 720,
                               1.0 / 24,
                               -0.5,
                               1.0};
    for (int i = 0; i < 10; i++) p = fma(p, z, C[i]);
    return p;
}

double rt_sin(double x) {
    int quadrant;
    double r = reduce(x, &quadrant);
    double y = (quadrant & 1) ? cos_kernel(r) : sin_kernel(r);
    return (quadrant & 2) ? -y : y;
}

double rt_cos(double x) {
    int quadrant;
    double r = reduce(x, &quadrant);
    double y = (quadrant & 1) ? sin_kernel(r) : cos_kernel(r);
    return (quadrant == 1 || quadrant == 2) ? -y : y;
}

double rt_erfc(double x) {
    double a = fabs(x), y;
    if (a < 2.5) {
        /* Abramowitz and Stegun 7.1.6: erf x = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (1 3 ... (2n+1)). */
        double term = a, sum = a;
        for (int n = 1; n < 80; n++) {
            term *= 2 * a * a / (2 * n + 1);
            sum += term;
        }
        y = 1 - 1.12837916709551257390 * rt_exp(-a * a) * sum;
    } else {
        /* Continued fraction 7.1.14, evaluated from the far end. */
        double f = a;
        for (int n = 80; n >= 1; n--) f = a + 0.5 * n / f;
        y = rt_exp(-a * a) / (1.77245385090551602730 * f);
    }
    return x < 0 ? 2 - y : y;
}

double rt_lgamma(double x) {
    /* Shift to x >= 10, then Stirling's series. */
    double shift = 0;
    while (x < 10) {
        shift += rt_log(x);
        x += 1;
    }
    double z = 1 / (x * x);
    double series = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188))))) / x;
    return (x - 0.5) * rt_log(x) - x + 0.91893853320467274178 + series - shift;
}
