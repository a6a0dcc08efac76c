/* Evaluation and analysis: scores and token statistics of responses; judge.h has their behaviours.
 *
 * All work on responses as JSONL, one object a response:
 *   {"problem_id", "sample", "model", "text", "tokens", "finish_reason", "verdict", "strict", "tolerant"}
 * and on problems as JSONL (`retort data`). They return their result as JSON text that the caller frees with
 * retort_free; the command prints it with --json, or a table made of it.
 */
#ifndef RETORT_ANALYZE_H
#define RETORT_ANALYZE_H

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frees a string that the library returned; NULL is allowed. */
RETORT_API void retort_free(char *text);

typedef struct retort_regrade_options {
    char *run;      /* JSONL of responses, or a folder of such files */
    char *problems; /* JSONL of problems; NULL: the golds that stand in the responses */
    char *output;   /* the same lines with new verdicts; NULL: not written */
    int grader;     /* as for retort_eval */
} retort_regrade_options;
extern RETORT_API const retort_option retort_regrade_option_table[];

/* Grades stored responses again, without sampling. Responses have "problem_id" and "text" or "response"; what they were
 * graded before ("verdict", or a boolean "correct") is the old verdict. The gold of a response is that of its problem
 * in `problems`, else its own "answer" or "world" (retort_eval writes them).
 *
 * The result: "files", one object each: "old" (the score by the old verdicts; null where not all have one), "graders"
 * and "differ" as from retort_eval, "changes" (how many responses went from which verdict to which, for each grader),
 * and "changed" (the responses whose verdict by the chosen grader is not the old one, each with the reason).
 *
 * Errors: RETORT_ERR_NOT_FOUND for a response without gold or a problem that is not in `problems`, RETORT_ERR_FORMAT
 * for a line that is no response or for two golds of one problem; file and line are named. */
RETORT_API retort_status retort_regrade(const retort_regrade_options *options, const retort_progress *progress,
                                        char **json, retort_error *err);

typedef struct retort_tokens_options {
    char *responses;              /* comma list of JSONL files and run stores */
    char *by;                     /* comma list of keys whose values tell the groups apart: model, step, file, ... */
    char *text_key, *problem_key; /* NULL: the first of the known keys */
    char *lexicon;                /* comma list of shipped lexicons and YAML files; NULL: all that ship */
    int part;                     /* 0 the whole response, 1 its thought, 2 its answer */
    bool starts_in_thought;       /* a response without tags is a thought */
    char *keep;                   /* comma list: truncated, repetitive; they are left out otherwise */
    char *tokenizer;              /* model whose tokens are counted too, or NULL */
    int64_t first_words;          /* length of the beginnings that are compared */
    char *reference;              /* the group that all others are compared with; NULL: every pair */
    int64_t top, seed, resamples, threads;
} retort_tokens_options;
extern RETORT_API const retort_option retort_tokens_option_table[];

/* Counts a lexicon's entries in responses from anywhere, in bounded memory. The result (docs/tokens.md has every
 * figure and rule):
 *
 *   models       a group each: responses, counted, words, left_out (why, how many); categories and entries: count,
 *                per_1000 words and per_response with 95 % intervals over problems; profile by deciles of the response;
 *                correctness: right minus wrong responses within problems
 *   comparisons  a pair each: paired or not, differences with intervals and p adjusted for their number, at equal
 *                length too, and the `top` most distinctive terms by log-odds with an informative Dirichlet prior
 *
 * The number of threads changes no figure. Errors: RETORT_ERR_FORMAT names file and line of a response that cannot be
 * read, or the lexicon's entry whose examples fail. */
RETORT_API retort_status retort_tokens(const retort_tokens_options *options, const retort_progress *progress,
                                       char **json, retort_error *err);

typedef struct retort_substitution_options {
    char *free, *banned;        /* JSONL of responses of one model to the same problems */
    int64_t phrase, least, top; /* longest phrase; occurrences that a tested term has; terms listed */
} retort_substitution_options;
extern RETORT_API const retort_option retort_substitution_option_table[];

/* What rises when banned words fall: words and phrases per 1,000 words, free and banned, with intervals over problems
 * and q-values (docs/bans.md). *json is for retort_free. RETORT_ERR_FORMAT: a line that is no response, or fewer than
 * two problems that both files answer. */
RETORT_API retort_status retort_substitution(const retort_substitution_options *options, char **json,
                                             retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
