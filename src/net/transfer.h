/* One exchange of src/net/http.c: its tries and redirects. */
#ifndef RT_NET_TRANSFER_H
#define RT_NET_TRANSFER_H

#include <curl/curl.h>

#include "net/http.h"

typedef struct rt_transfer {
    const rt_http_options *options;
    rt_http_request request;
    CURL *easy;                /* owned; in the multi handle while `running` */
    struct curl_slist *fields; /* of the present try */
    char *url;                 /* of the present try: the request's, or where redirects led */
    bool running;
    bool at_home;      /* no redirect has left the origin of the request yet */
    int hops, failed;  /* redirects followed; failed tries in a row */
    double not_before; /* rt_now() of the next try */
    long long offset;  /* where the body of this try begins in the whole */
    long long got;     /* bytes of it */
    long long mark;    /* how far the body had come when `failed` last began anew */
    rt_headers headers;
    rt_http_head head;
    bool head_done;
    rt_buffer excerpt; /* beginning of the body of an error */
    retort_error err;  /* of the sink, a limit, or the end */
    bool refused;      /* err holds why the exchange must end, although libcurl saw nothing wrong */
    char cause[CURL_ERROR_SIZE];
    struct rt_transfer *next;
} rt_transfer;

retort_status rt_transfer_create(const rt_http_options *options, const rt_http_request *request, rt_transfer **out,
                                 retort_error *err);
void rt_transfer_destroy(rt_transfer *t);
/* Sets the easy handle up for the next try. */
retort_status rt_transfer_prepare(rt_transfer *t, retort_error *err);
/* What libcurl's result means. True: another try or a redirect follows, at not_before. False: *status is how the
 * exchange ended, and t->err says why. */
bool rt_transfer_goes_on(rt_transfer *t, CURLcode result, retort_status *status);

#endif
