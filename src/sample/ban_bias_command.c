/* `retort ban-bias`: options and the result as JSON. */
#include <stddef.h>

#include "core/file.h"
#include "retort/sample.h"
#include "sample/ban_bias.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_ban_bias_options, name_), __VA_ARGS__ }

const retort_option retort_ban_bias_option_table[] = {
    ROW(model, STRING, .argument = "DIR", .group = "Input", .required = true,
        .help = "Model directory (its tokenizer is all that is read), or a GGUF file."),
    ROW(ban_list, LIST, .argument = "LIST", .required = true,
        .help = "Categories of the shipped lexicons, lexicons (.yaml) or files with one word or phrase a line."),
    ROW(collateral, INT, .default_value = "0", .argument = "N", .group = "The set", .minimum = 0, .maximum = 1e9,
        .help = "A token that closes a hole may be part of so many other words of the vocabulary."),
    ROW(most, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1e9,
        .help = "At most so many tokens, as endpoints have a limit; those that catch most are kept. 0: no limit."),
    ROW(examples, INT, .default_value = "20", .argument = "N", .group = "Output", .minimum = 0, .maximum = 1e6,
        .help = "Holes and hit words that are listed."),
    ROW(output, STRING, .argument = "FILE", .help = "JSON file for the logit_bias object alone."),
    {0}};

static retort_status find(const retort_ban_bias_options *o, const rt_tokenizer *tokenizer, json_t **out,
                          retort_error *err) {
    const rt_bias_options options = {o->collateral, o->most, o->examples};
    rt_ban_list list = {0};
    retort_status st = rt_ban_list_read(o->ban_list, &list, err);
    if (st == RETORT_OK && list.count == 0)
        st = rt_fail(err, RETORT_ERR_USAGE, "the ban list '%.200s' is empty", o->ban_list);
    if (st == RETORT_OK) st = rt_ban_bias(tokenizer, &list, &options, out, err);
    rt_ban_list_free(&list);
    return st;
}

retort_status retort_ban_bias(const retort_ban_bias_options *options, char **json, retort_error *err) {
    rt_tokenizer *tokenizer = NULL;
    json_t *result = NULL;
    rt_buffer text = {0};
    *json = NULL;
    RT_TRY(retort_options_check(retort_ban_bias_option_table, options, err));
    RT_TRY(rt_tokenizer_load(options->model, &tokenizer, err));
    retort_status st = find(options, tokenizer, &result, err);
    if (st == RETORT_OK && options->output != NULL)
        st = rt_json_save(options->output, json_object_get(result, "logit_bias"), err);
    if (st == RETORT_OK) st = rt_json_dump(result, JSON_INDENT(2), &text, err);
    if (st == RETORT_OK)
        *json = text.data;
    else
        rt_buffer_free(&text);
    json_decref(result);
    rt_tokenizer_destroy(tokenizer);
    return st;
}
