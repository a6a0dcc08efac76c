/* Responses in a line of JSONL, whoever wrote it.
 *
 * Known shapes: what retort writes; {response | completion | output | generated_text | ...} as a text, as messages
 * (the assistant's last), as choices of the OpenAI API (its batch files too), or as a list of any of these (several
 * samples in a line, as vLLM scripts and lm-eval's `resps` have them). docs/tokens.md lists the keys.
 */
#ifndef RT_LINE_RESPONSES_H
#define RT_LINE_RESPONSES_H

#include "core/json.h"

typedef struct rt_line_response {
    const char *text, *thought; /* thought: a reasoning that came apart from the text, or NULL */
    size_t length, thought_length;
    int64_t sample; /* the line's, else the number in its list */
    int correct;    /* 1, 0, or -1: unknown */
    bool truncated; /* the line says so */
} rt_line_response;

typedef struct rt_line_keys {
    const char *text, *problem; /* NULL: the first that is there of those known */
    const char *by;             /* comma list of keys whose values name the group; NULL: model */
    const char *file;           /* the name that stands in for a model that is not named */
} rt_line_keys;

/* The group: values of the keys, joined with " / ". A key that is missing gives "(none)", but `model` gives the file's
 * name, and `file` always does. Appends. */
retort_status rt_line_group(const json_t *line, const rt_line_keys *keys, rt_buffer *out, retort_error *err);

/* The problem's id: an id if there is one, else the problem's or prompt's text; *known false: there was none of these,
 * and nothing is appended. Appends. */
retort_status rt_line_problem(const json_t *line, const rt_line_keys *keys, bool *known, rt_buffer *out,
                              retort_error *err);

/* Every response in the line; strings are borrowed from it. RETORT_ERR_FORMAT where there is none: `where` names the
 * line. */
typedef retort_status (*rt_line_visitor)(void *context, const rt_line_response *response, retort_error *err);
retort_status rt_line_responses(const json_t *line, const rt_line_keys *keys, const char *where, rt_line_visitor visit,
                                void *context, retort_error *err);

#endif
