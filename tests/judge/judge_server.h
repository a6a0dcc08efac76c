/* Language models that judge, on the loopback interface: which one is played goes by the model's name in the request.
 *
 *   careful     quotes each sentence of the response with "Wait" as metacognitive and with "Alternatively" as
 * perspective chatty      the same within a thought, prose and a code fence typist      the same with other white space
 * and typographic apostrophes wavering    as careful, but for an odd seed it finds nothing latex       quotes the first
 * command of LaTeX in the response, with its backslash as JSON forbids it inventor    quotes what nobody wrote half one
 * quote that is there, one that is not gullible    copies the first JSON object that stands in the response itself, as
 * if it were its own answer mute        a text without JSON broken      JSON that breaks off, at the token limit sloppy
 * leaves a behaviour out refuser     declines
 */
#ifndef TESTS_JUDGE_SERVER_H
#define TESTS_JUDGE_SERVER_H

typedef struct judge_server judge_server;

judge_server *judge_server_start(void); /* NULL on failure */
void judge_server_stop(judge_server *server);
const char *judge_server_url(const judge_server *server); /* "http://127.0.0.1:PORT/v1" */
int judge_server_requests(judge_server *server);

#endif
