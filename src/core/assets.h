/* Files of assets/, built into the library by tools/embed.c, so that it needs no data files at run time. Each list is
 * in the order of the build file that names its parts; a NULL name ends it. */
#ifndef RT_CORE_ASSETS_H
#define RT_CORE_ASSETS_H

#include <stddef.h>

typedef struct rt_asset {
    const char *name; /* file name without its extension */
    const char *data; /* NUL-terminated behind `length` */
    size_t length;
} rt_asset;

extern const rt_asset RT_REPORT_ASSETS[];   /* assets/report; the first is the template */
extern const rt_asset RT_LEXICON_ASSETS[];  /* assets/lexicons: the words that `tokens` counts */
extern const rt_asset RT_BEHAVIOR_ASSETS[]; /* assets/behaviors: what the judges look for */
extern const rt_asset RT_REWRITE_ASSETS[];  /* assets/rewrite: what models that rewrite are told, by style */
extern const rt_asset RT_PROMPT_ASSETS[];   /* assets/prompts: what language models that judge are told */

#endif
