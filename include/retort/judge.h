/* Behaviours of responses, by judges: exactly (the embedded world), by rules, by language models, by people; and how
 * far they agree. docs/behaviors.md explains all of it.
 *
 *     retort_behaviors_options options;
 *     retort_options_defaults(retort_behaviors_option_table, &options, &err);
 *     retort_options_set(retort_behaviors_option_table, &options, "responses", "a.jsonl,b.jsonl", &err);
 *     char *json;
 *     retort_behaviors(&options, NULL, &json, &err);     // by rules; by a model too where base_url is set
 *     ...
 *     retort_free(json);                                  // retort/analyze.h
 */
#ifndef RETORT_JUDGE_H
#define RETORT_JUDGE_H

#include "retort/endpoint.h"
#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_behaviors_options {
    char *responses; /* comma list of JSONL files: problem_id, text or response, and where known model, sample */
    char *problems;  /* JSONL; NULL: the responses' own `world` tells which belong to the embedded world */
    char *behaviors; /* YAML of what is looked for; NULL: what ships */
    char *judges;    /* comma list of exact and rules; NULL: both, the exact one where the problems are the world's */
    char *output;    /* JSONL of judgements; NULL: not written */
    int64_t seed;    /* of the bootstrap */
    retort_endpoint_options endpoint; /* a language model as a judge, where base_url is set; model: a comma list */
    char *store;                      /* run store that keeps its replies and judgements */
    char *prompt;                     /* file of a prompt of one's own; NULL: what ships */
    int64_t votes, max_tokens, segment, overlap;
    double temperature, top_p;
} retort_behaviors_options;
extern RETORT_API const retort_option retort_behaviors_option_table[];

/* Judges every response and gives, as JSON text for retort_free:
 * "behaviors": the list judged and its SHA-256; "models": per model the responses, how many were truncated, "counts"
 * (what the world's grammar tells exactly, docs/world.md; only where all responses are the world's), and "judges": per
 * judge the votes that could be read, "unparsed" and "refused", and per behaviour the mean per response, the share of
 * responses with at least one and the rate per 1,000 words, each with n and a bootstrap interval over problems;
 * "agreement": between judges, and between votes. With a language model also "endpoint": what was asked and what it
 * cost.
 *
 * A reply that cannot be read is "unparsed" and in no mean. Errors: RETORT_ERR_USAGE, RETORT_ERR_FORMAT and
 * RETORT_ERR_NOT_FOUND name file and line; those of an endpoint are as of retort_teach. */
RETORT_API retort_status retort_behaviors(const retort_behaviors_options *options, const retort_progress *progress,
                                          char **json, retort_error *err);

typedef struct retort_agreement_options {
    char *judgements; /* comma list: JSONL of judgements (retort_behaviors' output), run stores */
    char *responses;  /* comma list of JSONL: what a store's judgements are about; NULL: no store is named */
    int64_t seed;     /* of the bootstrap */
} retort_agreement_options;
extern RETORT_API const retort_option retort_agreement_option_table[];

/* How far judges, votes and people agree, across files: "judges" (who judged how much, unparsed and refused apart), and
 * "agreement" with, for each behaviour, Cohen's kappa of presence and Krippendorff's alpha of counts for each pair
 * ("pairs"), Fleiss' kappa and alpha of each judge's votes ("votes") and of all judges ("all"), with n and bootstrap
 * intervals over problems. A coefficient that is not defined (all ratings are the same) is null, with the reason in
 * "note". The caller frees *json with retort_free. */
RETORT_API retort_status retort_agreement(const retort_agreement_options *options, char **json, retort_error *err);

/* Labelling by hand: responses one after the other, in an order fixed by the seed, without their model's name. Labels
 * are kept in the run store as judgements by "human:NAME", each as soon as the response is done; a session that was
 * left goes on where it was. `retort label` is this on a terminal.
 *
 *     retort_labels *labels;
 *     retort_labels_open(&options, &labels, &err);
 *     while (retort_labels_show(labels, &view), view.index < view.total) {
 *         retort_labels_mark(labels, 0, 1, &err);   // one occurrence of the first behaviour
 *         retort_labels_next(labels, &err);         // stored; on to the next
 *     }
 *     retort_labels_close(labels);
 */
typedef struct retort_label_options {
    char *responses; /* comma list of JSONL */
    char *behaviors; /* YAML; NULL: what ships */
    char *store;     /* run store */
    char *name;      /* who labels */
    int64_t seed;    /* of the order */
    int64_t count;   /* so many responses of that order; 0: all */
} retort_label_options;
extern RETORT_API const retort_option retort_label_option_table[];

typedef struct retort_labels retort_labels;

typedef struct retort_label_view { /* all borrowed, until the next call */
    int64_t index, total, done;    /* the response at hand; how many there are; how many of them are labelled */
    const char *text;              /* NULL behind the last */
    size_t length;
    int behaviors;
    const char *const *names, *const *titles, *const *definitions; /* [behaviors] */
    const int *counts;                                             /* [behaviors]: as marked so far */
    bool labelled;                                                 /* it is in the store */
} retort_label_view;

/* Begins at the first response that this person has not labelled. RETORT_ERR_USAGE: a name with other than letters,
 * digits, '-', '_' and '.'; RETORT_ERR_FORMAT, RETORT_ERR_NOT_FOUND, RETORT_ERR_IO as of files and stores. */
RETORT_API retort_status retort_labels_open(const retort_label_options *options, retort_labels **out,
                                            retort_error *err);
RETORT_API void retort_labels_show(const retort_labels *labels, retort_label_view *view);
/* Adds to the count of a behaviour of the response at hand; never below 0 or above 999. */
RETORT_API retort_status retort_labels_mark(retort_labels *labels, int behavior, int add, retort_error *err);
/* Takes back the last mark on this response; false if there is none. */
RETORT_API bool retort_labels_undo(retort_labels *labels);
/* Stores the counts, durable when it returns, and goes on to the next response; on the last one the index becomes the
 * total. */
RETORT_API retort_status retort_labels_next(retort_labels *labels, retort_error *err);
/* Goes on without storing, or back to the response before; nothing happens at the ends. A labelled response shows its
 * stored counts, and storing it again replaces them. */
RETORT_API void retort_labels_move(retort_labels *labels, int step);
RETORT_API void retort_labels_close(retort_labels *labels);

#ifdef __cplusplus
}
#endif
#endif
