/* A small Hub for tests, on the loopback interface: answers like the Hub's HTTP API, or as badly as a test asks.
 *
 * It listens on two ports: the Hub's, and that of a storage to which large files are redirected ("CDN"). Every
 * repository named below holds the files of `server.c`; what stands behind "fault/" is what goes wrong with it.
 *
 *     org/tiny        a model; revisions main, refs/pr/1, v1 (another commit)
 *     org/gguf        only a GGUF file and pickles
 *     org/base        the files of a real model folder, if one is given
 *     data/set        a data set
 *     fault/gated     lists its files, refuses them          fault/private   exists for the right token only
 *     fault/busy      twice 429 each, then fine              fault/closed    429, come back in an hour
 *     fault/down      twice 503 each, then fine              fault/dead      500 for ever
 *     fault/cut       connections are cut after 700 kB       fault/cutwhole  likewise, and ranges are not served
 *     fault/whole     ranges are not served                  fault/range     refuses every range with 416
 *     fault/badrange  answers another range than asked       fault/hash      a byte is wrong
 *     fault/short     bodies end early, as if whole          fault/long      files are longer than listed
 *     fault/endless   bodies never end                       fault/slow      64 kB every 40 ms
 *     fault/silent    accepts, answers after three seconds   fault/html      pages instead of JSON
 *     fault/json      JSON that is broken                    fault/up        a file named "../../evil"
 *     fault/huge      a file of 2^60 bytes                   fault/absurd    sizes that no sum can hold
 *     fault/twice     a file that is listed twice            fault/loop      redirects in a circle
 *     fault/local     redirects to file:///etc/passwd        fault/nowhere   redirects without saying where to
 *     fault/link      the list goes on at the CDN            fault/linked    links to other content than listed
 *     fault/moved     redirects to org/tiny on the same host fault/pages     one file a page
 *     fault/header    a header without end
 */
#ifndef TESTS_HUB_SERVER_H
#define TESTS_HUB_SERVER_H

#include <stdbool.h>

#define HUB_TOKEN  "hf_testtokenthatisnotone"
#define HUB_COMMIT "1111111111111111111111111111111111111111"
#define HUB_TAGGED "2222222222222222222222222222222222222222"
enum { HUB_WEIGHTS = 3000000 }; /* bytes of org/tiny's model.safetensors */

typedef struct hub_server hub_server;

/* folder: of a model for org/base; NULL: none. log: a file to which each request adds a line; NULL: none. NULL on
 * failure. */
hub_server *hub_server_start(const char *folder, const char *log);
void hub_server_stop(hub_server *server);
const char *hub_server_endpoint(const hub_server *server);

/* What has come in since the last call of hub_server_forget. */
typedef struct hub_seen {
    int requests;     /* at both */
    int files;        /* bodies of files, begun */
    int with_token;   /* requests at the Hub that carried the right token */
    int token_at_cdn; /* requests at the CDN that carried any */
    long long range;  /* begin of the last range asked for; -1: none */
    int if_range;     /* ranges that named an entity tag */
} hub_seen;
hub_seen hub_server_seen(hub_server *server);
void hub_server_forget(hub_server *server);

#endif
