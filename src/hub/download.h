/* Fetching the files of a list, several at once. */
#ifndef RT_HUB_DOWNLOAD_H
#define RT_HUB_DOWNLOAD_H

#include "hub/store.h"
#include "retort/progress.h"

typedef struct rt_hub_download_options {
    int workers;  /* files at once */
    int restarts; /* answers in a row that end too early without an error */
    bool verify;  /* hash what is there */
} rt_hub_download_options;

/* Every file is in its place, verified and published, on RETORT_OK; *transferred counts bytes off the network. On
 * failure what has arrived stays for the next time. */
retort_status rt_hub_download(const rt_hub_store *store, const rt_hub_files *files,
                              const rt_hub_download_options *options, const retort_progress *progress,
                              long long *transferred, retort_error *err);

#endif
