/* Elementary functions with the same bits on every host.
 *
 * libm may differ between versions and processors; these use only correctly rounded IEEE operations (+ - * / fma sqrt)
 * in a fixed order. Double precision; the error bounds are measured against long double libm (tests/core). They serve
 * scalars and tables (RoPE, schedules, statistics); the float forms for hot loops live in compute/.
 */
#ifndef RT_CORE_EXACTMATH_H
#define RT_CORE_EXACTMATH_H

double rt_exp(double x);           /* 1 ulp */
double rt_log(double x);           /* x > 0; 3 ulp */
double rt_pow(double x, double y); /* x > 0, as exp(y log x): relative error near 4e-16 times |y log x| */
double rt_sin(double x);           /* |x| < 1e6; 3 ulp */
double rt_cos(double x);
double rt_erfc(double x); /* complementary error function, for normal tail probabilities; relative error below 1e-11 */
double rt_lgamma(double x); /* x > 0; absolute error below 2e-13 + 1e-14 of the result */

#endif
