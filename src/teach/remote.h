/* A teacher elsewhere: behind an endpoint, behind batch files, or somebody else's traces. */
#ifndef RT_TEACH_REMOTE_H
#define RT_TEACH_REMOTE_H

#include "data/problem.h"
#include "teach/findings.h"

/* Whether the options name such a teacher. */
bool rt_teach_is_remote(const retort_teach_options *options);

/* retort_teach for them; `count` problems of *problems. */
retort_status rt_teach_remote(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                              const retort_progress *progress, retort_teach_account *account, rt_findings *findings,
                              retort_error *err);

#endif
