/* The schema's versions; docs/store.md documents the tables. */
#ifndef RT_STORE_SCHEMA_H
#define RT_STORE_SCHEMA_H

#include "store/store.h"

/* Refuses another program's database and newer versions, brings an older one up to date. Runs in a transaction that
 * excludes other processes, so that two that open one file migrate it once. */
retort_status rt_schema_prepare(rt_store *store, retort_error *err);

#endif
