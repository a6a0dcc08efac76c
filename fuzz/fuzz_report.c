/* Fuzz target of what a report reads beside responses: lines of judgements, and any text cut for the search index. A
 * line that is taken must be found again under its response, with its spans; terms must come out whole and in order. */
#include <stdlib.h>
#include <string.h>

#include "report/judgements.h"
#include "report/search_index.h"
#include "text/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_judgement(const json_t *line) {
    rt_judgements all = {0};
    retort_error err;
    if (rt_judgement_add(&all, line, "fuzz", &err) == RETORT_OK) {
        if (all.count != 1 || all.responses.count != 1 || all.first[0] != 0 || all.items[0].next != -1) abort();
        const rt_judgement *added = &all.items[0];
        if (added->num_spans != all.num_spans || (added->status != RT_JUDGED && added->num_spans != 0)) abort();
        for (int64_t i = 0; i < all.num_spans; i++)
            if (all.spans[i].begin > all.spans[i].end || all.spans[i].column >= all.columns.count) abort();
        if (rt_judgement_add(&all, line, "fuzz", &err) == RETORT_OK) abort(); /* the same vote twice */
    }
    rt_judgements_free(&all);
}

static void cut_terms(const char *text, size_t size) {
    char term[RT_SEARCH_TERM_MAX];
    size_t length;
    for (size_t at = 0, before = 0; rt_search_term(text, size, &at, term, &length); before = at) {
        if (at <= before || at > size || length == 0 || length > RT_SEARCH_TERM_MAX) abort();
        for (size_t i = 0; i < length;) { /* whole characters */
            int bytes = rt_utf8_char(term + i, length - i, NULL);
            if (bytes == 0) abort();
            i += (size_t)bytes;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *line;
    retort_error err;
    cut_terms((const char *)data, size);
    if (rt_json_parse((const char *)data, size, "fuzz", &line, &err) != RETORT_OK) return 0;
    take_judgement(line);
    json_decref(line);
    return 0;
}
