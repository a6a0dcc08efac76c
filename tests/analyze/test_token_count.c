/* Reading responses of every shape, thoughts, degenerate responses, places, merged tables, and figures by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "analyze/length_match.h"
#include "analyze/repetition.h"
#include "analyze/token_report.h"
#include "analyze/token_stream.h"
#include "core/file.h"
#include "retort/analyze.h"
#include "store/scores.h"

static char scratch[] = "/tmp/retort-tokens-XXXXXX";

static char *in_scratch(const char *name) {
    return rt_path_join(scratch, name);
}

static json_t *parse(const char *text) {
    json_t *value;
    retort_error err = {0};
    if (rt_json_parse(text, strlen(text), "test", &value, &err) != RETORT_OK) fail_msg("%s", err.message);
    return value;
}

/* Shapes. */

static char seen[2000];

static retort_status note(void *context, const rt_line_response *r, retort_error *err) {
    (void)context;
    (void)err;
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "[%s|%s|%d|%d]", r->thought != NULL ? r->thought : "", r->text,
             r->correct, r->truncated);
    return RETORT_OK;
}

static void test_shapes(void **state) {
    (void)state;
    static const struct {
        const char *line, *responses, *group, *problem;
    } cases[] = {
        {"{'model':'m','problem_id':'p','text':'a','verdict':'right','finish_reason':'length'}", "[|a|1|1]", "m", "p"},
        {"{'model':'m','problem_id':7,'response':'a','correct':false,'truncated':true}", "[|a|0|1]", "m", "7"},
        {"{'id':'q','completion':[{'role':'user','content':'x'},{'role':'assistant','content':'a'}]}", "[|a|-1|0]",
         "f.jsonl", "q"},
        {"{'question':'why?','output':['a','b'],'score':[true,false]}", "[|a|1|0][|b|0|0]", "f.jsonl", "why?"},
        {"{'model':'m','id':'c','choices':[{'message':{'content':'a','reasoning_content':'t'},'finish_reason':'stop'},"
         "{'message':{'content':'b'},'finish_reason':'length'}]}",
         "[t|a|-1|0][|b|-1|1]", "m", "c"},
        {"{'custom_id':'c','response':{'body':{'model':'gpt','choices':[{'message':{'content':'a'}}]}}}", "[|a|-1|0]",
         "gpt", "c"},
        {"{'doc_id':3,'resps':[['a','b']],'exact_match':1.0}", "[|a|1|0][|b|1|0]", "f.jsonl", "3"},
        {"{'messages':[{'role':'user','content':'x'},{'role':'assistant','content':null,'reasoning_content':'t'}]}",
         "[t||-1|0]", "f.jsonl", NULL},
        {"{'outputs':[{'text':'a','finish_reason':'length'},{'text':'b'}],'prompt':'p'}", "[|a|-1|1][|b|-1|0]",
         "f.jsonl", "p"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[1000];
        snprintf(line, sizeof line, "%s", cases[i].line);
        for (char *c = line; *c != '\0'; c++)
            if (*c == '\'') *c = '"';
        json_t *object = parse(line);
        rt_line_keys keys = {.file = "f.jsonl"};
        rt_buffer group = {0}, problem = {0};
        retort_error err = {0};
        bool known;
        seen[0] = '\0';
        assert_int_equal(rt_line_responses(object, &keys, "line 1", note, NULL, &err), RETORT_OK);
        assert_string_equal(seen, cases[i].responses);
        assert_int_equal(rt_line_group(object, &keys, &group, &err), RETORT_OK);
        assert_string_equal(group.data, cases[i].group);
        assert_int_equal(rt_line_problem(object, &keys, &known, &problem, &err), RETORT_OK);
        assert_int_equal(known, cases[i].problem != NULL);
        if (known) assert_string_equal(problem.data, cases[i].problem);
        rt_buffer_free(&group);
        rt_buffer_free(&problem);
        json_decref(object);
    }
}

static void test_keys(void **state) {
    (void)state;
    json_t *object = parse("{\"model\":\"m\",\"step\":5,\"mine\":\"a\",\"who\":\"w\",\"text\":\"b\"}");
    rt_line_keys keys = {.file = "f", .text = "mine", .problem = "who", .by = "model,step,file,none"};
    rt_buffer group = {0}, problem = {0};
    retort_error err = {0};
    bool known;
    seen[0] = '\0';
    assert_int_equal(rt_line_responses(object, &keys, "line 1", note, NULL, &err), RETORT_OK);
    assert_string_equal(seen, "[|a|-1|0]");
    assert_int_equal(rt_line_group(object, &keys, &group, &err), RETORT_OK);
    assert_string_equal(group.data, "m / 5 / f / (none)");
    assert_int_equal(rt_line_problem(object, &keys, &known, &problem, &err), RETORT_OK);
    assert_string_equal(problem.data, "w");
    keys.text = "nothing";
    assert_int_equal(rt_line_responses(object, &keys, "line 1", note, NULL, &err), RETORT_ERR_FORMAT);
    assert_string_equal(err.message, "line 1 holds no response under nothing; name its key with --text-key");
    rt_buffer_free(&group);
    rt_buffer_free(&problem);
    json_decref(object);
}

/* Thoughts. */

static void test_thoughts(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool starts, with_tags;
        const char *pieces;
        bool unclosed;
    } cases[] = {
        {"<think>a</think>b", false, false, "T(a)A(b)", false},
        {"<think>a</think>b", false, true, "A(<think>)T(a</think>)A(b)", false},
        {"a</think>b", false, false, "T(a)A(b)", false},
        {"x<think>a", false, false, "A(x)T(a)", true},
        {"x<think>", false, false, "A(x)", true},
        {"plain", false, false, "A(plain)", false},
        {"plain", true, false, "T(plain)", true},
        {"<think>a<think>b</think>c</think>d", false, false, "T(a<think>b)A(c</think>d)", false},
        {"<think></think>b", true, false, "A(b)", false},
        {"", false, false, "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_piece_walk walk = {.text = cases[i].text,
                              .length = strlen(cases[i].text),
                              .starts_in_thought = cases[i].starts,
                              .with_tags = cases[i].with_tags};
        rt_part_span piece;
        char out[200] = "";
        while (rt_piece_next(&walk, &piece))
            snprintf(out + strlen(out), sizeof out - strlen(out), "%c(%.*s)", piece.thought ? 'T' : 'A',
                     (int)(piece.end - piece.begin), cases[i].text + piece.begin);
        assert_string_equal(out, cases[i].pieces);
        assert_int_equal(walk.unclosed, cases[i].unclosed);
    }
}

/* Degenerate responses. */

static bool one_word(const char *unit, int times, const char *rest) {
    char text[8000] = "";
    for (int i = 0; i < times; i++) strcat(text, unit);
    strcat(text, rest);
    rt_repetition *room;
    retort_error err = {0};
    assert_int_equal(rt_repetition_create(&room, &err), RETORT_OK);
    rt_repetition_begin(room);
    assert_int_equal(rt_repetition_add(room, text, strlen(text), &err), RETORT_OK);
    bool result = rt_repetition_one_word(room);
    rt_repetition_destroy(room);
    return result;
}

static bool loops(const char *head, const char *unit, int times) {
    char text[20000];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", head);
    for (int i = 0; i < times; i++) used += (size_t)snprintf(text + used, sizeof text - used, "%s", unit);
    rt_repetition *room;
    retort_error err = {0};
    assert_int_equal(rt_repetition_create(&room, &err), RETORT_OK);
    bool result = rt_repetition_loops(room, text, strlen(text));
    rt_repetition_destroy(room);
    return result;
}

static void test_repetition(void **state) {
    (void)state;
    assert_true(one_word("But but ", 31, ""));
    assert_false(one_word("but ", 60, ""));
    assert_false(one_word("but other words here ", 40, ""));
    assert_true(one_word("but two but ", 40, ""));
    assert_false(one_word("\\cdot ", 100, ""));
    assert_false(one_word("x = ", 100, ""));
    assert_true(loops("Some start. ", "The answer is 4, but the answer is 5. ", 12));
    assert_false(loops("Some start. ", "The answer is 4, but the answer is 5. ", 7));
    assert_true(loops("", "ab", 200));
    assert_false(loops("", "ab", 199));
    assert_false(loops("table ", "- ", 300));
    assert_true(loops("", "0123456789", 1000));
    assert_false(loops("", "", 0));
    assert_false(loops("word ", "", 0));
}

/* Counting. */

typedef struct fixture {
    rt_lexicon lexicon;
    rt_scanner *scanner;
    rt_token_rules rules;
    rt_count_table table;
} fixture;

static void open_fixture(fixture *f, const char *yaml) {
    retort_error err = {0};
    *f = (fixture){0};
    if (rt_lexicon_add(yaml, strlen(yaml), "test", &f->lexicon, &err) != RETORT_OK) fail_msg("%s", err.message);
    assert_int_equal(rt_scanner_create(&f->lexicon, &f->scanner, &err), RETORT_OK);
    f->rules = (rt_token_rules){.lexicon = &f->lexicon, .scanner = f->scanner, .first_words = 4};
    rt_count_table_init(&f->table, &f->lexicon);
}

static void close_fixture(fixture *f) {
    rt_count_table_free(&f->table);
    rt_scanner_destroy(f->scanner);
    rt_lexicon_free(&f->lexicon);
}

static void count_lines(fixture *f, const char *const *lines, size_t count) {
    rt_token_counter *counter;
    retort_error err = {0};
    assert_int_equal(rt_token_counter_create(&f->rules, &counter, &err), RETORT_OK);
    for (size_t i = 0; i < count; i++) {
        json_t *line = parse(lines[i]);
        if (rt_token_count_line(counter, line, "f", "line", &f->table, &err) != RETORT_OK) fail_msg("%s", err.message);
        json_decref(line);
    }
    rt_token_counter_destroy(counter);
}

static const char YAML[] =
    "categories: {talk: {entries: [wait, wait a minute, a minute more, hmm]}, join: {entries: [so]}}";

static uint32_t places_of(const rt_problem_counts *counts, int category) {
    uint32_t sum = 0;
    for (int d = 0; d < RT_DECILES; d++) sum += counts->places[category * RT_DECILES + d];
    return sum;
}

static void test_places(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"problem_id\":\"p\",\"text\":\"Wait a minute more, so wait. Hmm\"}",
    };
    fixture f;
    open_fixture(&f, YAML);
    count_lines(&f, lines, 1);
    const rt_problem_counts *counts = &f.table.groups[0].counts[0];
    assert_int_equal(counts->words, 7);
    assert_int_equal(counts->entries[0], 2); /* wait, twice */
    assert_int_equal(counts->entries[1], 1);
    assert_int_equal(counts->entries[2], 1);
    assert_int_equal(counts->entries[3], 1);
    assert_int_equal(places_of(counts, 0), 3); /* the first three overlap */
    assert_int_equal(places_of(counts, 1), 1);
    assert_int_equal(counts->places[0], 1); /* in the first decile */
    assert_int_equal(counts->places[9], 1); /* "Hmm" */
    const uint32_t *record = f.table.groups[0].record_places;
    assert_int_equal(record[0], 3);
    assert_int_equal(record[2], 1); /* in the first four words: one place */
    assert_int_equal(record[3], 0); /* "so" is the fifth */
    close_fixture(&f);
}

/* Why responses are left out, and that they can be kept. */
static void test_left_out(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"problem_id\":\"p\",\"text\":\" \"}",
        "{\"problem_id\":\"p\",\"text\":\"wait\",\"finish_reason\":\"length\"}",
        "{\"problem_id\":\"p\",\"text\":\"<think>wait\"}",
        "{\"problem_id\":\"p\",\"text\":\"<think>wait</think>so\"}",
        "{\"problem_id\":\"p\",\"text\":\"so\"}",
    };
    fixture f;
    open_fixture(&f, YAML);
    count_lines(&f, lines, 5);
    const rt_token_group *group = &f.table.groups[0];
    assert_int_equal(group->reasons[RT_EMPTY], 1);
    assert_int_equal(group->reasons[RT_TRUNCATED], 2);
    assert_int_equal(group->reasons[RT_KEPT], 2);
    assert_int_equal(group->unclosed, 1);
    assert_int_equal(group->counts[0].responses, 2);
    assert_int_equal(group->counts[0].entries[0], 1);
    close_fixture(&f);
    open_fixture(&f, YAML);
    f.rules.keep_truncated = true;
    f.rules.part = RT_PART_THOUGHT;
    count_lines(&f, lines, 5);
    group = &f.table.groups[0];
    assert_int_equal(group->reasons[RT_NO_PART], 1);
    assert_int_equal(group->counts[0].responses, 2); /* the unclosed thought and the closed one */
    assert_int_equal(group->counts[0].entries[0], 2);
    assert_int_equal(group->counts[0].entries[4], 0);
    close_fixture(&f);
}

/* Tables of halves merge into the table of the whole. */
static void test_merge(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"model\":\"a\",\"problem_id\":\"p\",\"text\":\"wait so\",\"correct\":true}",
        "{\"model\":\"b\",\"problem_id\":\"q\",\"text\":\"hmm\"}",
        "{\"model\":\"b\",\"problem_id\":\"p\",\"text\":\"so so it goes\",\"correct\":false}",
        "{\"model\":\"a\",\"problem_id\":\"q\",\"text\":\"wait a minute\"}",
    };
    fixture whole, first, second;
    retort_error err = {0};
    open_fixture(&whole, YAML);
    open_fixture(&first, YAML);
    open_fixture(&second, YAML);
    count_lines(&whole, lines, 4);
    count_lines(&first, lines, 2);
    count_lines(&second, lines + 2, 2);
    assert_int_equal(rt_count_table_merge(&first.table, &second.table, &err), RETORT_OK);
    assert_int_equal(first.table.names.count, 2);
    for (int g = 0; g < 2; g++) {
        const rt_token_group *x = &whole.table.groups[g], *y = &first.table.groups[g];
        assert_string_equal(whole.table.names.names[g], first.table.names.names[g]);
        assert_int_equal(x->problems.count, y->problems.count);
        for (int p = 0; p < 2; p++) {
            assert_string_equal(x->problems.names[p], y->problems.names[p]);
            assert_int_equal(x->counts[p].words, y->counts[p].words);
            assert_memory_equal(x->counts[p].entries, y->counts[p].entries, 5 * sizeof(uint32_t));
            assert_memory_equal(x->counts[p].places, y->counts[p].places, 20 * sizeof(uint32_t));
        }
        assert_memory_equal(x->record_places, y->record_places, (size_t)x->num_records * 4 * sizeof(uint32_t));
        assert_int_equal(x->vocabulary.total, y->vocabulary.total);
        assert_int_equal(x->vocabulary.count, y->vocabulary.count);
    }
    close_fixture(&whole);
    close_fixture(&first);
    close_fixture(&second);
}

/* Figures. */

static void test_ratios(void **state) {
    (void)state;
    rt_ratios table = {.columns = 2};
    retort_error err = {0};
    double value, *drawn = malloc(4000 * sizeof *drawn);
    assert_int_equal(rt_ratios_define(&table, 0, 1, 10, &err), RETORT_OK);
    for (int p = 0; p < 40; p++) {
        assert_int_equal(rt_ratios_cell(&table, 0, p % 2, &err), RETORT_OK);
        assert_int_equal(rt_ratios_cell(&table, 1, 2, &err), RETORT_OK);
        assert_int_equal(rt_ratios_end_row(&table, &err), RETORT_OK);
    }
    assert_int_equal(rt_ratios_value(&table, NULL, 0, &value, &err), RETORT_OK);
    assert_true(value == 2.5);
    assert_int_equal(rt_ratios_bootstrap(&table, NULL, 0, 4000, 1, drawn, &err), RETORT_OK);
    rt_interval interval = rt_drawn_interval(drawn, 4000, 40);
    /* The mean of 40 coins: 5 (1/2 +- 2.0227 x sqrt(40 / 39) x sqrt(1 / 160)), in steps of 1/8. */
    assert_true(fabs(interval.low - (2.5 - 0.81)) < 0.13 && fabs(interval.high - (2.5 + 0.81)) < 0.13);
    const int32_t rows[] = {1, 3};
    assert_int_equal(rt_ratios_value(&table, rows, 2, &value, &err), RETORT_OK);
    assert_true(value == 5);
    drawn[0] = 1;
    assert_true(isnan(rt_drawn_interval(drawn, 1, 1).low));
    free(drawn);
    rt_ratios_free(&table);
}

/* Rows whose only cells are `value` above and 1 below the line. */
static rt_ratios simple_table(const double *values, int count) {
    rt_ratios table = {.columns = 2};
    retort_error err = {0};
    assert_int_equal(rt_ratios_define(&table, 0, 1, 1, &err), RETORT_OK);
    for (int i = 0; i < count; i++) {
        assert_int_equal(rt_ratios_cell(&table, 0, values[i], &err), RETORT_OK);
        assert_int_equal(rt_ratios_cell(&table, 1, 1, &err), RETORT_OK);
        assert_int_equal(rt_ratios_end_row(&table, &err), RETORT_OK);
    }
    return table;
}

/* Exact p by hand: of the 2^4 ways to turn four pairs whose differences have one sign, 2 are as extreme; of the 6 ways
 * to deal 1, 2, 3, 4 into two pairs, 2 are as extreme as 1, 2 against 3, 4. */
static void test_permutation(void **state) {
    (void)state;
    const double high[] = {5, 7, 6, 9}, low[] = {1, 2, 3, 4}, first[] = {1, 2}, second[] = {3, 4},
                 turned[] = {1, 1, 1, -1};
    const int32_t rows[] = {0, 1, 2, 3};
    rt_ratios a = simple_table(high, 4), b = simple_table(low, 4), c = simple_table(first, 2),
              d = simple_table(second, 2);
    rt_ratios e = simple_table(turned, 4);
    retort_error err = {0};
    double p;
    assert_int_equal(rt_ratios_permutation(&a, &b, rows, rows, 4, true, 20000, 1, &p, &err), RETORT_OK);
    assert_true(fabs(p - 0.125) < 0.01);
    assert_int_equal(rt_ratios_permutation(&c, &d, NULL, NULL, 0, false, 20000, 1, &p, &err), RETORT_OK);
    assert_true(fabs(p - 1.0 / 3) < 0.015);
    assert_int_equal(rt_ratios_permutation(&a, &a, rows, rows, 4, true, 500, 1, &p, &err), RETORT_OK);
    assert_true(p == 1);
    /* |sum| of four signs is at least 2 in all but 6 of 16 cases */
    assert_true(fabs(rt_ratios_sign_flip(&e, 0, 20000, 1) - 10.0 / 16) < 0.015);
    rt_ratios *all[] = {&a, &b, &c, &d, &e};
    for (size_t i = 0; i < 5; i++) rt_ratios_free(all[i]);
}

static double row_number(const json_t *rows, size_t i, const char *key) {
    return json_number_value(json_object_get(json_array_get(rows, i), key));
}

/* p of 0.01, 0.02, 0.03, 0.5: Holm and Benjamini-Hochberg by hand. */
static void test_multiplicity(void **state) {
    (void)state;
    json_t *list =
        parse("[{\"categories\":[{\"p\":0.02},{\"p\":0.5}],\"entries\":[{\"p\":0.03},{\"p\":null}]},"
              "{\"categories\":[{\"p\":0.03},{\"p\":0.01}],\"entries\":[{\"p\":0.5},{\"p\":0.01},{\"p\":0.02}]}]");
    retort_error err = {0};
    assert_int_equal(rt_token_adjust(list, &err), RETORT_OK);
    const json_t *one = json_object_get(json_array_get(list, 0), "categories");
    const json_t *two = json_object_get(json_array_get(list, 1), "categories");
    assert_true(fabs(row_number(two, 1, "p_holm") - 0.04) < 1e-12);
    assert_true(fabs(row_number(one, 0, "p_holm") - 0.06) < 1e-12);
    assert_true(fabs(row_number(two, 0, "p_holm") - 0.06) < 1e-12);
    assert_true(fabs(row_number(one, 1, "p_holm") - 0.5) < 1e-12);
    one = json_object_get(json_array_get(list, 0), "entries");
    two = json_object_get(json_array_get(list, 1), "entries");
    assert_true(fabs(row_number(two, 1, "q") - 0.04) < 1e-12);
    assert_true(fabs(row_number(two, 2, "q") - 0.04) < 1e-12);
    assert_true(fabs(row_number(one, 0, "q") - 0.04) < 1e-12);
    assert_true(fabs(row_number(two, 0, "q") - 0.5) < 1e-12);
    assert_null(json_object_get(json_array_get(one, 1), "q"));
    json_decref(list);
}

/* Group a says "wait" once in ten words, b never; long responses of b only are in no common bin. */
static void test_length_matched(void **state) {
    (void)state;
    fixture f;
    retort_error err = {0};
    open_fixture(&f, YAML);
    rt_token_counter *counter;
    assert_int_equal(rt_token_counter_create(&f.rules, &counter, &err), RETORT_OK);
    for (int i = 0; i < 24; i++) {
        char line[400];
        bool a = i % 2 == 0;
        snprintf(line, sizeof line, "{\"model\":\"%s\",\"problem_id\":\"p%d\",\"text\":\"%s a b c d e f g h j%s\"}",
                 a ? "a" : "b", i / 2, a ? "wait" : "no", !a && i > 20 ? " k l m n o p q r s t u v w x y z" : "");
        json_t *object = parse(line);
        assert_int_equal(rt_token_count_line(counter, object, "f", "line", &f.table, &err), RETORT_OK);
        json_decref(object);
    }
    rt_token_counter_destroy(counter);
    rt_length_match match[2];
    int64_t matched;
    assert_int_equal(rt_length_matched(&f.table, &f.table.groups[0], &f.table.groups[1], NULL, NULL, 0, 200, 1, match,
                                       &matched, &err),
                     RETORT_OK);
    assert_true(fabs(match[0].difference - 100) < 1e-9);
    assert_true(fabs(match[0].interval.low - 100) < 1e-9 && fabs(match[0].interval.high - 100) < 1e-9);
    assert_true(match[1].difference == 0);
    assert_int_equal(matched, 10);
    close_fixture(&f);
}

/* Right responses say "wait" twice in four words, wrong ones once: 250 per 1,000 more, within each problem. */
static void test_correctness(void **state) {
    (void)state;
    fixture f;
    retort_error err = {0};
    open_fixture(&f, YAML);
    const char *lines[] = {
        "{\"problem_id\":\"p\",\"text\":\"wait wait a b\",\"correct\":true}",
        "{\"problem_id\":\"p\",\"text\":\"wait a b c\",\"correct\":false}",
        "{\"problem_id\":\"q\",\"text\":\"wait wait a b\",\"correct\":true}",
        "{\"problem_id\":\"q\",\"text\":\"wait a b c\",\"correct\":false}",
        "{\"problem_id\":\"r\",\"text\":\"wait wait wait wait\",\"correct\":false}",
    };
    count_lines(&f, lines, 5);
    rt_token_settings settings = {&f.rules, 200, 5, 1};
    json_t *group;
    assert_int_equal(rt_token_group_json(&settings, &f.table, 0, &group, &err), RETORT_OK);
    const json_t *rows = json_object_get(group, "correctness");
    assert_true(fabs(row_number(rows, 0, "right_minus_wrong") - 250) < 1e-9);
    assert_int_equal(row_number(rows, 0, "problems"), 2);
    assert_int_equal(row_number(rows, 0, "responses"), 4);
    json_decref(group);
    close_fixture(&f);
}

/* Files. */

static char *tokens_of(const char *files, int64_t threads, const char *by, retort_status *status, retort_error *err) {
    retort_tokens_options options;
    char *json = NULL;
    *status = retort_options_defaults(retort_tokens_option_table, &options, err);
    if (*status == RETORT_OK)
        *status = retort_options_set(retort_tokens_option_table, &options, "responses", files, err);
    if (*status != RETORT_OK) {
        retort_options_release(retort_tokens_option_table, &options);
        return NULL;
    }
    if (by != NULL)
        assert_int_equal(retort_options_set(retort_tokens_option_table, &options, "by", by, err), RETORT_OK);
    options.threads = threads;
    options.resamples = 200;
    *status = retort_tokens(&options, NULL, &json, err);
    retort_options_release(retort_tokens_option_table, &options);
    return json;
}

/* Several blocks, lines that cross them, two models: the same text for every number of threads. */
static void test_threads(void **state) {
    (void)state;
    static const char *const words[] = {"wait", "so", "because", "the", "sum", "is", "42", "hmm", "then", "we"};
    char *path = in_scratch("many.jsonl");
    FILE *out = fopen(path, "wb");
    uint32_t x = 1;
    for (int i = 0; i < 9000; i++) {
        fprintf(out, "{\"model\":\"m%d\",\"problem_id\":%d,\"correct\":%s,\"text\":\"", i % 3, i % 57,
                i % 5 ? "true" : "false");
        for (int k = 0; k < 40 + i % 300; k++) {
            x = x * 1664525u + 1013904223u;
            fprintf(out, "%s ", words[(x >> 16) % 10]);
        }
        fprintf(out, "\"}\n");
    }
    fclose(out);
    retort_error err = {0};
    retort_status st;
    char *first = tokens_of(path, 1, NULL, &st, &err);
    assert_int_equal(st, RETORT_OK);
    for (int threads = 2; threads <= 5; threads += 3) {
        char *other = tokens_of(path, threads, NULL, &st, &err);
        assert_string_equal(first, other);
        retort_free(other);
    }
    json_t *result = parse(first);
    long long responses = 0;
    for (size_t i = 0; i < 3; i++)
        responses += (long long)row_number(json_object_get(result, "models"), i, "responses");
    assert_int_equal(responses, 9000);
    json_decref(result);
    retort_free(first);
    rt_free(path);
}

static void expect_failure(const char *content, const char *message) {
    char *path = in_scratch("bad.jsonl");
    retort_error err = {0};
    retort_status st;
    assert_int_equal(rt_file_write(path, content, strlen(content), &err), RETORT_OK);
    assert_null(tokens_of(path, 2, NULL, &st, &err));
    assert_int_equal(st, RETORT_ERR_FORMAT);
    if (strstr(err.message, message) == NULL) fail_msg("%s", err.message);
    rt_free(path);
}

static void test_bad_files(void **state) {
    (void)state;
    expect_failure("", "holds no responses");
    expect_failure("\n\n", "holds no responses");
    expect_failure("{\"text\":\"a\"}\n\n{\"text\":\n", "bad.jsonl' line 3 is not valid JSON");
    expect_failure("{\"text\":\"a\"}\n[1]\n", "bad.jsonl' line 2 is not a JSON object");
    expect_failure("{\"text\":\"a\"}\n{\"txt\":\"a\"}\n", "bad.jsonl' line 2 holds no response");
    expect_failure("{\"text\":\"\xff\"}\n", "line 1 is not valid JSON");
    retort_error err = {0};
    retort_status st;
    assert_null(tokens_of("/nonexistent.jsonl", 1, NULL, &st, &err));
    assert_int_equal(st, RETORT_ERR_NOT_FOUND);
    assert_null(tokens_of("/tmp", 1, NULL, &st, &err));
    assert_int_equal(st, RETORT_ERR_USAGE);
}

static void test_store(void **state) {
    (void)state;
    char *path = in_scratch("runs.sqlite");
    rt_store *store;
    retort_error err = {0};
    retort_status st;
    assert_int_equal(rt_store_open(path, &store, &err), RETORT_OK);
    rt_stored_response r = {.key = "0000000000000000000000000000000000000000000000000000000000000001",
                            .problem_id = "p",
                            .model = "teacher",
                            .source = "s",
                            .request = "{}",
                            .text = "So it is.",
                            .reasoning = "Wait, because",
                            .finish_reason = "stop",
                            .prompt_tokens = -1,
                            .completion_tokens = -1,
                            .cost = -1,
                            .seconds = -1,
                            .first_token_seconds = -1,
                            .created = 1};
    assert_int_equal(rt_store_put(store, &r, NULL, &err), RETORT_OK);
    rt_stored_score score = {r.key, "strict", "right", NULL, 1};
    assert_int_equal(rt_store_put_score(store, &score, &err), RETORT_OK);
    r.key = "0000000000000000000000000000000000000000000000000000000000000002";
    r.text = "It is not so.";
    r.reasoning = NULL;
    score = (rt_stored_score){r.key, "tolerant", "wrong", NULL, 1};
    assert_int_equal(rt_store_put(store, &r, NULL, &err), RETORT_OK);
    assert_int_equal(rt_store_put_score(store, &score, &err), RETORT_OK);
    rt_store_close(store);
    char *json = tokens_of(path, 1, NULL, &st, &err);
    if (st != RETORT_OK) fail_msg("%s", err.message);
    json_t *result = parse(json);
    const json_t *models = json_object_get(result, "models");
    assert_int_equal(json_array_size(models), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(models, 0), "model")), "teacher");
    assert_int_equal(row_number(models, 0, "words"), 9);
    const json_t *correctness = json_object_get(json_array_get(models, 0), "correctness");
    assert_int_equal(row_number(correctness, 0, "responses"), 2); /* one right, one wrong */
    const json_t *categories = json_object_get(json_array_get(models, 0), "categories");
    assert_int_equal(row_number(categories, 0, "count"), 1); /* Wait */
    assert_int_equal(row_number(categories, 1, "count"), 3); /* because, So, so */
    json_decref(result);
    retort_free(json);
    rt_free(path);
}

/* Whichever allocation fails, the answer is "out of memory", or what it would have been. */
static void test_memory(void **state) {
    (void)state;
    char *path = in_scratch("few.jsonl");
    static const char content[] =
        "{\"model\":\"a\",\"problem_id\":1,\"text\":\"<think>Wait `x`</think>so\",\"correct\":true}\n"
        "{\"model\":\"b\",\"problem_id\":1,\"text\":\"because it is\",\"correct\":false}\n";
    retort_error err = {0};
    retort_status st;
    omp_set_num_threads(1); /* the counter of allocations is not for threads */
    assert_int_equal(rt_file_write(path, content, strlen(content), &err), RETORT_OK);
    char *whole = tokens_of(path, 1, NULL, &st, &err);
    rt_fail_alloc(1 << 30, false);
    retort_free(tokens_of(path, 1, NULL, &st, &err));
    long allocations = rt_alloc_count();
    long step = allocations > 400 ? allocations / 400 : 1;
    for (long n = 0; n < allocations; n += step) {
        rt_fail_alloc(n, false);
        char *json = tokens_of(path, 1, NULL, &st, &err);
        rt_fail_alloc(-1, false);
        if (st != RETORT_OK && st != RETORT_ERR_MEMORY) fail_msg("allocation %ld: %s", n, err.message);
        if (st == RETORT_OK) assert_string_equal(json, whole);
        retort_free(json);
    }
    print_message("# %ld allocations\n", allocations);
    assert_true(allocations > 100);
    retort_free(whole);
    rt_free(path);
}

static int open_scratch(void **state) {
    (void)state;
    return mkdtemp(scratch) != NULL ? 0 : -1;
}

static int close_scratch(void **state) {
    (void)state;
    return rt_remove_tree(scratch, NULL) == RETORT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),       cmocka_unit_test(test_keys),           cmocka_unit_test(test_thoughts),
        cmocka_unit_test(test_repetition),   cmocka_unit_test(test_places),         cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_merge),        cmocka_unit_test(test_ratios),         cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_multiplicity), cmocka_unit_test(test_length_matched), cmocka_unit_test(test_correctness),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_bad_files),      cmocka_unit_test(test_store),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("token_count", tests, open_scratch, close_scratch);
}
