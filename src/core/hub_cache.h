/* The cache of the Hugging Face Hub on this machine, in the layout of the huggingface_hub package, so that both
 * programs share what either has downloaded:
 *
 *     ROOT/models--org--name/refs/main                       the commit that the branch 'main' named when last seen
 *     ROOT/models--org--name/blobs/HASH                      the bytes of a file, under the hash of its content
 *     ROOT/models--org--name/snapshots/COMMIT/config.json    a relative link to its blob
 *
 * Only lookups are here, and nothing here touches the network: what fills the cache is `retort pull` (src/hub).
 */
#ifndef RT_CORE_HUB_CACHE_H
#define RT_CORE_HUB_CACHE_H

#include <stdbool.h>

#include "core/mem.h"

/* HF_HOME, or $XDG_CACHE_HOME/huggingface, or ~/.cache/huggingface. Caller frees with rt_free. */
retort_status rt_hub_home(char **out, retort_error *err);
/* ROOT above: HF_HUB_CACHE, or HUGGINGFACE_HUB_CACHE, or "hub" in the home. Caller frees with rt_free. */
retort_status rt_hub_root(char **out, retort_error *err);

/* A file or folder that an environment variable names, with a leading "~" and $NAME or ${NAME} expanded as
 * huggingface_hub expands them; *out is NULL where the variable is unset or empty. Caller frees with rt_free. */
retort_status rt_hub_variable(const char *name, char **out, retort_error *err);

/* "name" or "namespace/name" as the Hub allows them: letters, digits, '-', '_', '.', at most 96 characters in all, no
 * "--" and no "..", no '-' or '.' at the ends, no ".git" at the end. So it is safe as a part of a path. */
bool rt_hub_is_repo_id(const char *name);
/* A branch, tag, commit or "refs/pr/N" that is safe as a path under refs/: segments of printable characters. */
bool rt_hub_is_revision(const char *revision);
/* Forty lower-case hexadecimal digits. */
bool rt_hub_is_commit(const char *revision);

/* "ROOT/models--org--name"; kind is "model" or "dataset". Caller frees with rt_free. */
retort_status rt_hub_repo_folder(const char *root, const char *kind, const char *repo, char **out, retort_error *err);
/* The commit that a revision names in a repository's folder, into commit[41]; an empty text where the cache does not
 * know. A revision that is a commit names itself. */
retort_status rt_hub_read_ref(const char *folder, const char *revision, char commit[41], retort_error *err);
/* The folder of a revision's snapshot; *out is NULL where there is none. Caller frees with rt_free. */
retort_status rt_hub_snapshot(const char *folder, const char *revision, char **out, retort_error *err);

/* What `--model NAME` means: the file or folder of that path where there is one; otherwise, for the name of a
 * repository on the Hub ("org/name", or "org/name@revision"), its snapshot in the cache. *out is the path, which the
 * caller frees with rt_free. RETORT_ERR_NOT_FOUND says what to do: every opening of a model starts here. */
retort_status rt_model_path(const char *name, char **out, retort_error *err);

#endif
