/* A ban as far as `logit_bias` reaches, for endpoints that have nothing better.
 *
 * A bias knows tokens and not the text before them: it can refuse " wait" and "Wait", it cannot refuse "wa" + "it". So
 * the set is an approximation, and what it misses and what it hits besides are measured:
 *
 * - Spellings: every entry of the list as written, in lower case, capitalised and in upper case, at the beginning of a
 *   text, behind a blank, a newline, a quotation mark and a bracket, before nothing and before a comma, each as the
 *   tokenizer itself would write it. A spelling is caught if one of its tokens is in the set; otherwise it is a hole.
 * - Words: every token that is letters only (a blank in front aside), as a word in lower case, capitalised and in upper
 *   case, behind a blank and at the beginning. A word that holds nothing banned, but one of whose tokens is in the set,
 * is collateral.
 *
 * The set: all tokens that are banned at the beginning of a text and that some spelling needs; then, for each hole, the
 * token of it that fewest words have, if that is no more than `collateral`; then, if more than `most` are left, those
 * that catch most spellings, of equals the lower ids. */
#ifndef RT_SAMPLE_BAN_BIAS_H
#define RT_SAMPLE_BAN_BIAS_H

#include "sample/ban_list.h"

typedef struct rt_bias_options {
    int64_t collateral; /* words that a token that closes a hole may hit */
    int64_t most;       /* tokens of the set; 0: as many as there are */
    int64_t examples;   /* holes and hit words listed */
} rt_bias_options;

/* {logit_bias {"id": -100}, tokens, spellings, caught, holes [{text, tokens}], entries_open (entries none of whose
 * spellings is caught), words, hit, hit_words [{text, token}]}. */
retort_status rt_ban_bias(const rt_tokenizer *tokenizer, const rt_ban_list *list, const rt_bias_options *options,
                          json_t **out, retort_error *err);

#endif
