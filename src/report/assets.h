/* Files of assets/report, built into the library by tools/embed.c. The first is the template; a NULL name ends it. */
#ifndef RT_REPORT_ASSETS_H
#define RT_REPORT_ASSETS_H

#include <stddef.h>

typedef struct rt_asset {
    const char *name; /* file name without its extension */
    const char *data;
    size_t length;
} rt_asset;

extern const rt_asset RT_REPORT_ASSETS[];

#endif
