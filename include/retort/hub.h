/* Models and data sets from the Hugging Face Hub.
 *
 *     retort_pull_options options;
 *     retort_pull_result result;
 *     retort_error err;
 *     retort_options_defaults(retort_pull_option_table, &options, &err);
 *     retort_options_set(retort_pull_option_table, &options, "repo", "HuggingFaceTB/SmolLM2-135M", &err);
 *     if (retort_pull(&options, NULL, &result, &err) == RETORT_OK) printf("%s\n", result.path);
 *     retort_pull_result_release(&result);
 *     retort_options_release(retort_pull_option_table, &options);
 *
 * Files go to the cache that the huggingface_hub package uses, in its layout, so what either program has downloaded the
 * other one finds. Afterwards every function that takes a model folder takes the name "HuggingFaceTB/SmolLM2-135M",
 * too.
 *
 * The environment is that of huggingface_hub: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_TOKEN_PATH,
 * HF_HUB_DISABLE_IMPLICIT_TOKEN, HF_HUB_OFFLINE; for connections https_proxy, no_proxy and SSL_CERT_FILE.
 */
#ifndef RETORT_HUB_H
#define RETORT_HUB_H

#include <stdint.h>

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum retort_repo_type { RETORT_REPO_MODEL, RETORT_REPO_DATASET } retort_repo_type;

typedef struct retort_pull_options {
    char *repo;          /* "org/name" */
    char *revision;      /* branch, tag or commit */
    int repo_type;       /* retort_repo_type */
    char *include;       /* comma list of patterns ('*' also stands for '/'); NULL: what this program can use */
    char *exclude;       /* likewise; NULL: nothing */
    char *local_dir;     /* plain files in this folder instead of the cache; NULL: the cache */
    char *cache_dir;     /* NULL: as the environment says */
    char *token_file;    /* its first line is the token; NULL: as the environment says */
    int64_t max_workers; /* files at once */
    int64_t retries;     /* tries after the first, for each file that makes no progress */
    double retry_pause;  /* seconds before the second try; doubles each time */
    double timeout;      /* seconds without a byte after which a connection counts as cut */
    bool offline;        /* only look for what is there */
    bool verify;         /* hash files that are there already */
} retort_pull_options;
extern RETORT_API const retort_option retort_pull_option_table[];

typedef struct retort_pull_result {
    char *path;          /* the folder of the files: a snapshot in the cache, or local_dir */
    char commit[41];     /* what the revision named; "" with offline and local_dir */
    int64_t files;       /* chosen */
    int64_t bytes;       /* of all of them */
    int64_t transferred; /* of them over the network, now */
} retort_pull_result;

/* Downloads the chosen files of a repository, several at once, and verifies each against the hash that the Hub lists
 * for it: SHA-256 for large files, git's SHA-1 for small ones. What is there already is not loaded again; a file that
 * was cut goes on where it stopped, also after the program was killed. A name (refs/main) is moved only once all files
 * are there. Two programs may pull the same repository at once.
 *
 * By default a model's weights (safetensors only: pickles are never loaded), configuration, tokenizer and chat template
 * are chosen; a data set is taken whole.
 *
 * Reports the stage "pull" in bytes. *out may be uninitialised; on failure nothing needs releasing. Errors:
 * RETORT_ERR_NOT_FOUND for a repository, revision or file that does not exist or is private, RETORT_ERR_USAGE for a
 * refused token or a gated repository (the message says how to get access), RETORT_ERR_FORMAT for answers that are not
 * the Hub's, RETORT_ERR_IO for the network, the disk, and for content that does not have its hash (it is removed),
 * RETORT_ERR_INTERRUPTED (the same call goes on where it stopped). The token stands in no message. */
RETORT_API retort_status retort_pull(const retort_pull_options *options, const retort_progress *progress,
                                     retort_pull_result *out, retort_error *err);
RETORT_API void retort_pull_result_release(retort_pull_result *result);

#ifdef __cplusplus
}
#endif
#endif
