/* The Hub of server.c as a program, for scripts: writes its address to a file and serves until its standard input ends,
 * at most two minutes.
 *   hub_server ADDRESS_FILE LOG_FILE [MODEL_FOLDER] */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server.h"

int main(int count, char **arguments) {
    if (count < 3) return 2;
    hub_server *server = hub_server_start(count > 3 ? arguments[3] : NULL, arguments[2]);
    if (server == NULL) return 1;
    char temporary[1024];
    snprintf(temporary, sizeof temporary, "%s.tmp", arguments[1]);
    FILE *f = fopen(temporary, "w");
    if (f == NULL || fprintf(f, "%s\n", hub_server_endpoint(server)) < 0 || fclose(f) != 0) return 1;
    if (rename(temporary, arguments[1]) != 0) return 1;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    while (poll(&input, 1, 120000) > 0 && read(STDIN_FILENO, &byte, 1) > 0) {
    }
    hub_server_stop(server);
    return 0;
}
