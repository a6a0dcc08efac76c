/* What is to be banned, from what people write down. */
#ifndef RT_SAMPLE_BAN_LIST_H
#define RT_SAMPLE_BAN_LIST_H

#include "sample/bans.h"
#include "text/lexicon.h"

typedef struct rt_ban_list {
    rt_pattern *patterns;
    char **texts; /* what they point to */
    int32_t count, capacity;
} rt_ban_list;

/* Adds one word or phrase in any case, and its forms with U+2019 for an apostrophe. White space around it is cut off;
 * an empty text is RETORT_ERR_USAGE. */
retort_status rt_ban_list_add(rt_ban_list *list, const char *text, size_t length, retort_error *err);
/* Adds for each text the category of the shipped lexicons that it names, or else the text as rt_ban_list_add does.
 * Reads no file. */
retort_status rt_ban_list_add_named(rt_ban_list *list, const char *const *texts, int32_t count, retort_error *err);
/* Adds one category of a lexicon, or all (-1). RETORT_ERR_USAGE: an entry that is no word or phrase. */
retort_status rt_ban_list_add_lexicon(rt_ban_list *list, const rt_lexicon *lexicon, int32_t category,
                                      retort_error *err);
/* Adds a copy of all of `more`. */
retort_status rt_ban_list_append(rt_ban_list *list, const rt_ban_list *more, retort_error *err);
/* Adds what a comma list names: categories and files with one word or phrase a line. */
retort_status rt_ban_list_read(const char *names, rt_ban_list *list, retort_error *err);
void rt_ban_list_free(rt_ban_list *list);

#endif
