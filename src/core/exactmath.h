/* Elementary functions with the same bits on every host.
 *
 * libm may differ between versions and processors; these use only correctly rounded IEEE operations (+ - * / fma sqrt)
 * in a fixed order. Double precision, error below 2 ulp on the stated ranges. They serve scalars and tables (RoPE,
 * schedules, statistics); the float forms for hot loops live in compute/.
 */
#ifndef RT_CORE_EXACTMATH_H
#define RT_CORE_EXACTMATH_H

double rt_exp(double x);
double rt_log(double x);           /* x > 0 */
double rt_pow(double x, double y); /* x > 0, as exp(y log x) */
double rt_sin(double x);           /* |x| < 1e6 */
double rt_cos(double x);
double rt_erfc(double x);    /* complementary error function, for normal tail probabilities */
double rt_lgamma(double x);  /* x > 0 */

#endif
