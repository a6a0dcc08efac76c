/* The texts of the explorer: blocks texts/N of some 256 KiB, each the JSON list of its responses in order of reading,
 *   ["the text", [kind, gap, length, ...]]
 * where the numbers are its marks: kind, begin counted from the begin of the mark before, and length, in UTF-16 units
 * as a browser counts. A page loads only the blocks whose texts it shows. */
#ifndef RT_TEXTS_H
#define RT_TEXTS_H

#include "core/json.h"
#include "report/evidence.h"

/* Zero-initialise; set folder. */
typedef struct rt_texts {
    const char *folder;
    rt_buffer block;
    json_t *first_rows; /* of each block; owned */
    int64_t rows;
} rt_texts;

retort_status rt_texts_add(rt_texts *texts, const char *text, size_t length, const rt_mark *marks, int64_t num_marks,
                           retort_error *err);
/* Writes what is left. */
retort_status rt_texts_finish(rt_texts *texts, retort_error *err);
void rt_texts_free(rt_texts *texts);

#endif
