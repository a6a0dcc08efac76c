/* The rotary embedding's table for a configuration: frequencies and magnitude of each rope type, as transformers
 * defines them (modeling_rope_utils.py of version 5), computed in float in the same order of operations.
 *
 * With f_i = theta^(-2i/E) and L = original_positions:
 *
 *   default   f_i
 *   linear    f_i / factor
 *   dynamic   f_i. transformers enlarges theta once a call holds more than max_position_embeddings tokens, for all of
 *             the call's positions; keys already cached keep their old angles. So a token's angle depends on how a
 *             text was cut into calls, prefill and decoding disagree, and no trainer can agree with both. Such texts
 *             are refused: the context length ends at max_position_embeddings. Up to it both are equal.
 *   llama3    f_i where its wavelength 2 pi / f_i is below L / high_freq_factor; f_i / factor where it is above
 *             L / low_freq_factor; in between the two mixed, linearly in L / wavelength
 *   yarn      f_i / factor mixed with f_i by a ramp over i, whose ends are the dimensions that turn beta_fast and
 *             beta_slow times in L positions (rounded outwards if truncate); sine and cosine times the attention
 *             factor: as given, else from mscale and mscale_all_dim where both are, else 0.1 ln factor + 1
 */
#ifndef RT_ROPE_H
#define RT_ROPE_H

#include "model/model.h"

/* frequency [E/2]; *magnitude is what sine and cosine are multiplied by. */
void rt_rope_scaled(const rt_config *config, float *frequency, float *magnitude);
/* table [positions][2][E/2], of rt_rope_table. The configuration is validated. */
void rt_rope_fill(const rt_config *config, int64_t positions, float *table);

#endif
