/* Problem sets: the embedded world's, the ones that papers report on, and your own. See docs/data.md, docs/world.md.
 *
 *     retort_data_options data;
 *     char *json;
 *     retort_options_defaults(retort_data_option_table, &data, &err);
 *     retort_options_set(retort_data_option_table, &data, "set", "aime_2024", &err);
 *     retort_options_set(retort_data_option_table, &data, "input", "test.jsonl", &err);
 *     retort_options_set(retort_data_option_table, &data, "output", "aime24.jsonl", &err);
 *     retort_data(&data, NULL, &json, &err);
 *     free(json);
 *     retort_options_release(retort_data_option_table, &data);
 *
 * A pure function of its options and input files: the same bytes on every machine. Nothing is fetched from a network.
 */
#ifndef RETORT_DATA_H
#define RETORT_DATA_H

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_data_options {
    char *output; /* JSONL; NULL only with `list` */
    /* The embedded world, unless `set` or `input` is given. */
    int split; /* pretrain|distill|rl|validation|test|hard|transfer */
    int64_t count, seed;
    /* Sets from files. */
    char *set;          /* a known set's name, or NULL: any problems */
    char *input;        /* comma list of JSONL and CSV files; NULL: the set's files in the Hub's cache */
    bool allow_changed; /* write the file also if it is not the known set */
    bool list;          /* only tell what the known sets are */
} retort_data_options;
extern RETORT_API const retort_option retort_data_option_table[];

/* Writes problems as JSONL, whole or not at all: {"id", "problem", "answer"}, with "world": {"family", "numbers",
 * "target"} for the embedded world (`answer` is then one of the simplest solutions), or with what the input says of
 * "year", "subject", "level", "contest", "url", "source" and "alt_answers".
 *
 * *out, which the caller frees with free, is what was written:
 *
 *     {"set": NAME or null, "title", "origin", "licence", "files": [...], "problems": N, "expected": N or null,
 *      "left_out": N, "twice": N, "sha256": HEX, "expected_sha256": HEX or null, "matches": true, false or null,
 *      "output": FILE}
 *
 * (for the world: {"split", "seed", "problems", "output"}), or with `list` {"sets": [{"name", "title", "problems",
 * "sha256", "licence", "pull", "elsewhere"}]}. sha256 is over the sorted hashes of problems and answers without white
 * space, so that it depends neither on ids nor on the order; "matches" compares it and the count with what is known.
 *
 * RETORT_ERR_NOT_FOUND: a file that is missing; the message says what to pull or where to look. RETORT_ERR_FORMAT: a
 * file that cannot be read, or that is not the known set (unless allow_changed), with what differs. */
RETORT_API retort_status retort_data(const retort_data_options *options, const retort_progress *progress, char **out,
                                     retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
