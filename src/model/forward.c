#include "model/workspace.h"

/* y = x w^T (+ bias). */
static void linear(int64_t rows, int64_t out, int64_t in, const float *x, rt_matrix w, const float *bias, float *y) {
    rt_linear_forward(rows, out, in, x, in, w, y, out, false);
    if (bias != NULL) rt_bias_add(rows, out, bias, y, out);
}

/* What the layer's adapter adds to a projection, if it has one. */
static void adapt(const rt_workspace *ws, int64_t layer, rt_lora_module module, const float *x, float *y) {
    rt_lora_forward(ws->lora, layer, module, ws->plan.tokens, x, y, ws->lora_scratch);
}

/* A projection into `heads` heads: weight, bias, adapter, norm, rotation; `in` and `rstd` belong to the norm. */
static void heads_forward(const rt_workspace *ws, int64_t layer, rt_lora_module module, int64_t heads, const float *x,
                          rt_matrix w, const float *bias, const float *norm, float *in, float *rstd, float *y) {
    const rt_config *c = &ws->config;
    const int64_t t = ws->plan.tokens, e = c->head_dim;
    linear(t, heads * e, c->hidden_size, x, w, bias, norm != NULL ? in : y);
    adapt(ws, layer, module, x, norm != NULL ? in : y);
    if (norm != NULL) rt_rmsnorm_forward(t * heads, e, in, norm, (float)c->rms_norm_eps, y, rstd);
    rt_rope(t, heads, e, ws->plan.position, ws->rope, false, y, heads * e);
}

static void attention_half(const rt_workspace *ws, int64_t layer, const rt_layer_params *p, const rt_layer_acts *a,
                           const float *x) {
    const rt_config *c = &ws->config;
    const rt_plan *plan = &ws->plan;
    const int64_t t = plan->tokens, d = c->hidden_size, e = c->head_dim;
    const int64_t h = c->num_attention_heads, g = c->num_key_value_heads;
    rt_rmsnorm_forward(t, d, x, p->input_norm, (float)c->rms_norm_eps, a->norm1, a->rstd1);
    heads_forward(ws, layer, RT_LORA_Q, h, a->norm1, p->q_w, p->q_b, p->q_norm, a->q_in, a->q_rstd, a->q);
    heads_forward(ws, layer, RT_LORA_K, g, a->norm1, p->k_w, p->k_b, p->k_norm, a->k_in, a->k_rstd, a->k);
    linear(t, g * e, d, a->norm1, p->v_w, p->v_b, a->v);
    adapt(ws, layer, RT_LORA_V, a->norm1, a->v);
    if (c->kv_dtype == RT_DTYPE_BF16) { /* as the cache will keep them */
        rt_bf16_round(t * g * e, a->k);
        rt_bf16_round(t * g * e, a->v);
    }
    rt_attention_forward(plan->docs, plan->doc_start, h, g, e, rt_config_window(c, layer), ws->scale, a->q, a->k, a->v,
                         a->attn, a->lse, ws->attention_scratch);
    linear(t, d, h * e, a->attn, p->o_w, p->o_b, a->mid);
    adapt(ws, layer, RT_LORA_O, a->attn, a->mid);
    rt_add(t * d, x, a->mid);
}

void rt_layer_forward(const rt_workspace *ws, int64_t layer, const rt_layer_params *p, const rt_layer_acts *a,
                      const float *x_in, float *x_out) {
    const rt_config *c = &ws->config;
    const int64_t t = ws->plan.tokens, d = c->hidden_size, f = c->intermediate_size;
    attention_half(ws, layer, p, a, x_in);
    rt_rmsnorm_forward(t, d, a->mid, p->post_norm, (float)c->rms_norm_eps, a->norm2, a->rstd2);
    linear(t, f, d, a->norm2, p->gate_w, NULL, a->gate);
    linear(t, f, d, a->norm2, p->up_w, NULL, a->up);
    adapt(ws, layer, RT_LORA_GATE, a->norm2, a->gate);
    adapt(ws, layer, RT_LORA_UP, a->norm2, a->up);
    rt_swiglu_forward(t * f, a->gate, a->up, a->h);
    if (x_out == NULL) return;
    linear(t, d, f, a->h, p->down_w, NULL, x_out);
    adapt(ws, layer, RT_LORA_DOWN, a->h, x_out);
    rt_add(t * d, a->mid, x_out);
}
