/* The problem sets that papers on reasoning are evaluated on: where each comes from, under which licence, how many
 * problems it has, and what they hash to, so that a file can be told from one that only bears the name. */
#ifndef RT_DATA_KNOWN_SETS_H
#define RT_DATA_KNOWN_SETS_H

#include <stdint.h>

typedef enum rt_answer_rule {
    RT_ANSWER_TEXT,    /* as it stands, without white space at its ends */
    RT_ANSWER_INTEGER, /* an integer: leading zeros, ".0", thousands commas and a degree sign are dropped */
    RT_ANSWER_HASHES,  /* GSM8K: the integer behind the last "####", or an integer alone */
    RT_ANSWER_CHOICE   /* GPQA: one right and three wrong answers become options A to D */
} rt_answer_rule;

typedef struct rt_known_set {
    const char *name, *title;
    const char *repo;      /* data set on the Hugging Face Hub whose files this program can read; NULL: there is none */
    const char *files;     /* in the repository, separated by commas */
    const char *elsewhere; /* a sentence: where else the problems are found */
    const char *licence;   /* as stated by those who collected the problems */
    int64_t count;
    const char *sha256; /* rt_import_hash of the set; NULL: not recorded */
    rt_answer_rule rule;
    int first_year, last_year; /* rows of other years belong to other sets; 0: all rows are of the set */
} rt_known_set;

extern const rt_known_set RT_KNOWN_SETS[]; /* a row without a name ends it */

/* By name ("aime_2024") or by a common other spelling ("AIME24"); NULL where there is none. */
const rt_known_set *rt_known_set_find(const char *name);

#endif
