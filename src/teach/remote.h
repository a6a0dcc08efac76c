/* A teacher at an OpenAI-compatible endpoint. */
#ifndef RT_TEACH_REMOTE_H
#define RT_TEACH_REMOTE_H

#include "data/problem.h"
#include "retort/teach.h"

/* retort_teach for options with a base_url; `count` problems of *problems. */
retort_status rt_teach_remote(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                              const retort_progress *progress, retort_teach_account *account, retort_error *err);

#endif
