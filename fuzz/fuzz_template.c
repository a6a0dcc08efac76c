/* Fuzz target of chat templates: any bytes as a template, then whatever was accepted renders a conversation under small
 * limits. */
#include <stdlib.h>

#include "text/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const rt_jinja_limits LIMITS = {.steps = 20000, .output = 1 << 16, .memory = 1 << 22};
    retort_error err = {0};
    rt_jinja *jinja = NULL;
    if (rt_jinja_compile("template", (const char *)data, size, &jinja, &err) != RETORT_OK) {
        if (err.message[0] == '\0') abort();
        return 0;
    }
    json_t *context = json_pack("{s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:n, s:[i, f, {s:b}]}], s:b, s:s, s:n}", "messages",
                                "role", "system", "content", " be brief\n", "role", "user", "content",
                                "3 + 4 \xe2\x82\xac <think>x</think>", "role", "assistant", "content", "parts", 1, 2.5,
                                "a", 1, "add_generation_prompt", 1, "bos_token", "<s>", "tools");
    rt_buffer out = {0};
    if (rt_jinja_render(jinja, context, 0, &LIMITS, &out, &err) != RETORT_OK && err.message[0] == '\0') abort();
    rt_buffer_free(&out);
    json_decref(context);
    rt_jinja_destroy(jinja);
    return 0;
}
