/* The answer verifier: is this response right?
 *
 *     retort_verify_options options = {.profile = RETORT_PROFILE_STRICT, .canonical = true};
 *     retort_verify_result result;
 *     retort_error err;
 *     if (retort_verify(retort_gold_of("\\frac{1}{2}"), retort_pred_of("... so it is \\boxed{0.5}."), &options,
 * &result, &err) != RETORT_OK) return err.code;                                          // out of memory; a verdict is
 * never an error printf("%s: %s\n", retort_verdict_name(result.verdict), result.reason);
 *     retort_verify_result_release(&result);
 *
 * A verdict is one of four, never a boolean:
 *
 *     right        both sides were read and are proven equal
 *     wrong        both sides were read and are proven unlike (or are unlike by a rule of docs/verifier.md)
 *     unparsed     one side has no answer or none that can be read: `side` says which, `reason` why
 *     over-budget  the question is beyond the budget of operations, or beyond what can be proven
 *
 * Equality is decided exactly (rationals, algebraic numbers, elementary constants, rational functions of several
 * variables, and sets, lists, tuples, intervals, matrices, equations and inequalities of them), never by closeness of
 * floating-point numbers. The budget counts operations, not time: the same pair gets the same verdict on every machine.
 * There are no globals and no signals; any number of threads may call at once. docs/verifier.md has the rules.
 */
#ifndef RETORT_VERIFY_H
#define RETORT_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The two sides have types of their own, so that the compiler sees when they are exchanged. Both are borrowed texts of
 * `length` bytes, UTF-8 or not. */

/* The known answer: an answer alone ("\\frac{1}{2}", "x = 5", "(C)"), or a solution whose answer is marked by \boxed{}
 * or GSM8K's "####". */
typedef struct retort_gold {
    const char *text;
    size_t length;
} retort_gold;

/* What a model wrote: the whole response. The answer in it is found by retort_extract. */
typedef struct retort_pred {
    const char *text;
    size_t length;
} retort_pred;

static inline retort_gold retort_gold_of(const char *text) {
    retort_gold gold = {text, strlen(text)};
    return gold;
}

static inline retort_pred retort_pred_of(const char *text) {
    retort_pred pred = {text, strlen(text)};
    return pred;
}

/* --- Verdicts -------------------------------------------------------------------------------------------------- */

typedef enum retort_verdict {
    RETORT_VERDICT_WRONG = 0,
    RETORT_VERDICT_RIGHT = 1,
    RETORT_VERDICT_UNPARSED = 2,
    RETORT_VERDICT_OVER_BUDGET = 3
} retort_verdict;

/* "wrong", "right", "unparsed", "over-budget". */
RETORT_API const char *retort_verdict_name(retort_verdict verdict);

/* Strict is for rewards: only a complete \boxed{} or \fbox{} counts, outside of thought tags. Tolerant is for
 * evaluation: answers in the other usual wrappings count as well, and so do a few forms that a person would accept (see
 * docs/verifier.md). What strict calls right, tolerant calls right. */
typedef enum retort_profile { RETORT_PROFILE_STRICT = 0, RETORT_PROFILE_TOLERANT = 1 } retort_profile;

typedef enum retort_verify_side {
    RETORT_SIDE_NONE = 0, /* both sides were read */
    RETORT_SIDE_GOLD = 1,
    RETORT_SIDE_PRED = 2
} retort_verify_side;

/* All zero is the strict profile with the default budget. */
typedef struct retort_verify_options {
    retort_profile profile;
    /* A decimal gold such as 3.14 is also right for a value that rounds to it, such as pi or 3.14159 (never the other
     * way round: the prediction 3.14 is wrong for pi). Off unless set. */
    bool rounding;
    /* Fill `gold` and `pred` of the result. Off for rewards, where only the verdict is needed. */
    bool canonical;
    /* Operations that a pair may cost, 0 for RETORT_VERIFY_BUDGET. One operation is about the work of multiplying two
     * machine words; the default is a few milliseconds. */
    int64_t budget;
} retort_verify_options;

enum {
    RETORT_VERIFY_BUDGET = 4000000,
    /* A longer answer (what stands in the box) is over budget at once; responses may have any length. */
    RETORT_VERIFY_MAX_ANSWER = 65536
};

/* --- Extraction: where in a response is its answer? ------------------------------------------------------------ */

/* Which rule found the answer, the strongest first. Within a rule the last match counts. */
typedef enum retort_extract_rule {
    RETORT_EXTRACT_NONE = 0,
    RETORT_EXTRACT_BOXED,        /* \boxed{...}, \fbox{...}, balanced; in strict the only one */
    RETORT_EXTRACT_ANSWER_TAG,   /* <answer>...</answer> */
    RETORT_EXTRACT_HASHES,       /* #### ... to the end of the line */
    RETORT_EXTRACT_FINAL_ANSWER, /* "the final answer is ...", "Answer: ...", to the end of the sentence */
    RETORT_EXTRACT_BOLD,         /* **...** */
    RETORT_EXTRACT_WHOLE,        /* the response is nothing but an answer */
    RETORT_EXTRACT_CHOICE,       /* a choice's letter alone on the last line */
    RETORT_EXTRACT_LAST_FORMULA, /* a guess: the last formula of the last line */
    RETORT_EXTRACT_LAST_NUMBER   /* a guess: the last number that stands alone; never one out of a formula */
} retort_extract_rule;

/* "boxed", "answer-tag", "hashes", "final-answer", "bold", "whole", "choice", "last-formula", "last-number",
 * "none". */
RETORT_API const char *retort_extract_rule_name(retort_extract_rule rule);

typedef struct retort_span {
    size_t begin, end; /* bytes of the response; end is behind the last */
} retort_span;

typedef struct retort_extraction {
    retort_extract_rule rule;
    retort_span answer;   /* the content: without the box, the tags, the stars */
    retort_span *answers; /* owned: the answer alone, or several boxes joined by "and", "or" or commas, in order */
    size_t count;         /* of answers; 0 where there is none */
    size_t boxes;         /* balanced boxes in the part of the response that counts, the outermost ones */
    const char *reason;   /* static: why there is no answer; NULL where there is one */
} retort_extraction;

/* Finds the answer in a response. Thought tags: only what follows the last </think> counts; a <think> that does not end
 * leaves no answer. (Tolerant: where nothing marked follows </think>, a box or "the final answer is" before it counts.)
 * An empty box is an answer that is empty. Linear in the length. Errors: RETORT_ERR_MEMORY. */
RETORT_API retort_status retort_extract(const char *response, size_t length, retort_profile profile,
                                        retort_extraction *out, retort_error *err);
RETORT_API void retort_extraction_release(retort_extraction *extraction);

/* --- One pair -------------------------------------------------------------------------------------------------- */

typedef struct retort_verify_result {
    retort_verdict verdict;
    retort_verify_side side;  /* unparsed and over-budget: whose fault; NONE where only the comparison was too dear */
    retort_extract_rule rule; /* how the prediction was found; LAST_FORMULA and LAST_NUMBER mark guesses */
    int64_t spent;            /* operations */
    char *gold, *pred;        /* owned: canonical forms in a plain notation, NULL where not asked for or not read */
    char reason[256];         /* one line for people, never empty */
} retort_verify_result;

/* Grades one response. Fails only for want of memory (RETORT_ERR_MEMORY); *result is then empty and needs no release.
 * options may be NULL (strict). */
RETORT_API retort_status retort_verify(retort_gold gold, retort_pred pred, const retort_verify_options *options,
                                       retort_verify_result *result, retort_error *err);
RETORT_API void retort_verify_result_release(retort_verify_result *result);

/* The same for answers that were extracted before: `answer` is the content of a box, not a response. */
RETORT_API retort_status retort_verify_answer(retort_gold gold, retort_pred answer,
                                              const retort_verify_options *options, retort_verify_result *result,
                                              retort_error *err);

/* Grades `count` pairs on all cores; results[i] belongs to pair i whatever the number of threads. On failure no result
 * needs a release. */
RETORT_API retort_status retort_verify_many(const retort_gold *golds, const retort_pred *preds, size_t count,
                                            const retort_verify_options *options, retort_verify_result *results,
                                            retort_error *err);

/* Arithmetic keeps small caches for each thread. A thread that graded and ends calls this last to give them back;
 * retort_verify_many does so for its own. Grading again afterwards is fine. */
RETORT_API void retort_verify_thread_end(void);

/* --- The command ----------------------------------------------------------------------------------------------- */

typedef struct retort_verify_command_options {
    char *gold, *pred; /* a single pair */
    char *jsonl;       /* or a file with gold, pred and optionally id and profile on each line */
    int profile;       /* retort_profile: of the pair, and of lines that name none */
    bool rounding;     /* see retort_verify_options */
    bool explain;      /* in text form: both canonical forms, the rule that found the answer, the reason */
    int64_t budget;    /* 0: the default */
} retort_verify_command_options;
extern RETORT_API const retort_option retort_verify_option_table[];

/* Grades the pair or the file and writes to `out` one line for each, in order. As JSON:
 *
 *     {"id":...,"verdict":"right","gold":CANONICAL,"pred":CANONICAL,"reason":"...","rule":"boxed","side":null}
 *
 * where id is that of the line (absent without one) and a canonical form is null where that side was not read. All
 * cores work; the output does not depend on how many. A pair that is too large or too hard has the verdict over-budget
 * and fails nothing. Errors: RETORT_ERR_USAGE without a pair or a file, RETORT_ERR_FORMAT for a line that is no such
 * object (file and line named; the lines before it were written), RETORT_ERR_IO, RETORT_ERR_MEMORY. */
RETORT_API retort_status retort_verify_command(const retort_verify_command_options *options, bool json, FILE *out,
                                               retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
