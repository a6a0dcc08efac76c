/* Problem sets from files of others (JSONL, CSV) in this program's form. */
#ifndef RT_DATA_IMPORT_H
#define RT_DATA_IMPORT_H

#include "core/json.h"
#include "data/known_sets.h"

typedef struct rt_import {
    const rt_known_set *set; /* NULL: any problems, answers as text */
    json_t *problems;        /* {"id", "problem", "answer", "source", ...} each */
    int64_t left_out;        /* rows of other years, which are other sets' */
} rt_import;

/* Appends the problems of a file: CSV if its name ends in .csv, otherwise JSONL. Of each row are taken the problem
 * (keys problem, question, Problem, Question), the answer (answer, Answer, expected_answer, "Correct Answer"), an id
 * (id, ID, unique_id, "Record ID", problem_idx; made from the set's name and the count where there is none) and, as
 * they are, year, subject, level, contest, url, source and alt_answers. The set's rule says how the answer is read.
 * Errors name file and line. Zero-initialise *import but for `set`; free with rt_import_free. */
retort_status rt_import_file(rt_import *import, const char *path, retort_error *err);
void rt_import_free(rt_import *import);

/* A problem and its answer must be there once. Sets *twice to the number of problems whose text and answer are also
 * another's; RETORT_ERR_FORMAT where two have one id. */
retort_status rt_import_check(const rt_import *import, int64_t *twice, retort_error *err);

/* What the set is, whatever the file it came from: SHA-256 over the sorted SHA-256 of the problems, each of its text,
 * a line feed and its answer, all white space (ASCII's and U+00A0) taken out. Ids, order and spacing do not matter. */
retort_status rt_import_hash(const rt_import *import, char hex[65], retort_error *err);

/* Writes the problems as JSONL. */
retort_status rt_import_write(const rt_import *import, const char *path, retort_error *err);

#endif
