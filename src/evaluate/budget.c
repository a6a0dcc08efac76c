#include "evaluate/budget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"

enum { MOST_BUDGETS = 64 };

retort_status rt_budgets_parse(const char *list, int64_t **out, int32_t *count, retort_error *err) {
    int64_t budgets[MOST_BUDGETS];
    *out = NULL;
    *count = 0;
    for (const char *at = list; at != NULL && *at != '\0';) {
        char *end;
        errno = 0;
        const long long value = strtoll(at, &end, 10);
        RT_CHECK(end != at && (*end == ',' || *end == '\0') && errno == 0 && value >= 1 && value <= 10000000 &&
                     *count < MOST_BUDGETS,
                 err, RETORT_ERR_USAGE,
                 "'budget' has '%.*s', must be a list of at most %d numbers of tokens from 1 to 10000000",
                 (int)strcspn(at, ","), at, MOST_BUDGETS);
        int32_t place = (*count)++;
        for (; place > 0 && budgets[place - 1] > value; place--) budgets[place] = budgets[place - 1];
        RT_CHECK(place == 0 || budgets[place - 1] != value, err, RETORT_ERR_USAGE, "'budget' has %lld twice", value);
        budgets[place] = value;
        at = *end == ',' ? end + 1 : end;
    }
    if (*count == 0) return RETORT_OK;
    *out = rt_malloc_array((size_t)*count, sizeof **out);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: budgets");
    memcpy(*out, budgets, (size_t)*count * sizeof **out);
    return RETORT_OK;
}

/* The mark may lie over several tokens: as much of it as has been read by the end of each is kept in `matched`. Its
 * first character occurs nowhere else in it, so a mismatch starts over at most with that one character. */
static size_t feed(size_t matched, const char *piece, size_t length) {
    static const char MARK[] = RT_THOUGHT_END;
    for (size_t i = 0; i < length && matched < sizeof MARK - 1; i++)
        matched = piece[i] == MARK[matched] ? matched + 1 : piece[i] == MARK[0];
    return matched;
}

bool rt_budget_closes(const rt_tokenizer *tokenizer, const rt_response *response, int64_t budget) {
    size_t matched = 0;
    if (response->count <= budget) return false;
    for (int64_t i = 0; i < budget; i++) {
        size_t length = 0;
        const char *piece = rt_tokenizer_piece(tokenizer, response->ids[i], &length);
        matched = feed(matched, piece, length);
        if (matched == sizeof RT_THOUGHT_END - 1) return false;
    }
    return true;
}

retort_status rt_budget_path(const char *path, int64_t budget, rt_buffer *out, retort_error *err) {
    static const char END[] = ".jsonl";
    size_t stem = strlen(path);
    if (stem > sizeof END - 1 && strcmp(path + stem - (sizeof END - 1), END) == 0) stem -= sizeof END - 1;
    return rt_buffer_printf(out, err, "%.*s.budget-%lld%s", (int)stem, path, (long long)budget, END);
}

static retort_status row_of(const rt_response_set *set, json_t *budget, int64_t closed, json_t *rows,
                            retort_error *err) {
    json_t *row = json_pack("{s:o}", "budget", budget), *score = NULL;
    double length = 0;
    for (int64_t i = 0; i < set->count; i++) length += (double)set->records[i].tokens / (double)set->count;
    retort_status st = rt_verdicts_json(set, RT_GRADER_CHOSEN, &score, err);
    if (st == RETORT_OK && (row == NULL || json_object_update_missing(row, score) != 0))
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: curve of budgets");
    json_decref(score);
    if (st != RETORT_OK) {
        json_decref(row);
        return st;
    }
    json_object_set_new(row, "closed", json_integer(closed));
    rt_json_set_real(row, "mean_length", length);
    json_array_append_new(rows, row);
    return RETORT_OK;
}

retort_status rt_budget_curve(const rt_round *round, int32_t num_budgets, json_t **out, retort_error *err) {
    json_t *rows = json_array();
    retort_status st = RETORT_OK;
    for (int32_t b = 0; b < num_budgets && st == RETORT_OK; b++)
        st = row_of(&round->budgeted[b].set, json_integer(round->budgeted[b].tokens), round->budgeted[b].closed, rows,
                    err);
    if (st == RETORT_OK && round->set.records != NULL) st = row_of(&round->set, json_null(), 0, rows, err);
    if (st == RETORT_OK)
        *out = rows;
    else
        json_decref(rows);
    return st;
}
