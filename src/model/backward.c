#include "model/workspace.h"

/* A layer's backward pass: what it reads and where its gradients go. */
typedef struct layer_pass {
    const rt_workspace *ws;
    int64_t layer;
    const rt_layer_params *p;
    const rt_layer_acts *a;
    const rt_layer_params *g;
    const rt_params *grads;
} layer_pass;

/* The two gradients of y = x w^T: dw [out][in] continues its chain over tokens (none where w is frozen); dx [rows][in]
 * is a chain over outputs, continued by the adapter and where several projections read the same x. */
static void linear_backward(const layer_pass *l, rt_lora_module module, int64_t out, int64_t in, const float *x,
                            rt_matrix w, const float *dy, rt_matrix dw, float *dx, bool accumulate_dx) {
    const rt_workspace *ws = l->ws;
    const int64_t rows = ws->plan.tokens;
    if (dw.f32 != NULL) rt_matmul_tn(out, in, rows, dy, out, x, in, dw.f32, in, true);
    rt_linear_backward(rows, in, out, dy, out, w, dx, in, accumulate_dx);
    rt_lora_backward(ws->lora, l->layer, module, rows, x, dy, l->grads, dx, ws->lora_scratch);
}

static void feed_forward_half(const layer_pass *l) {
    const rt_workspace *ws = l->ws;
    const rt_layer_params *p = l->p, *g = l->g;
    const rt_layer_acts *a = l->a;
    const rt_config *c = &ws->config;
    const int64_t t = ws->plan.tokens, d = c->hidden_size, f = c->intermediate_size;
    linear_backward(l, RT_LORA_DOWN, d, f, a->h, p->down_w, ws->dx, g->down_w, ws->dh, false);
    rt_swiglu_backward(t * f, a->gate, a->up, ws->dh, a->gate, a->up);
    linear_backward(l, RT_LORA_GATE, f, d, a->norm2, p->gate_w, a->gate, g->gate_w, ws->dnorm, false);
    linear_backward(l, RT_LORA_UP, f, d, a->norm2, p->up_w, a->up, g->up_w, ws->dnorm, true);
    rt_rmsnorm_backward(t, d, a->mid, p->post_norm, a->rstd2, ws->dnorm, ws->dx, true, g->post_norm);
}

static void bias_gradient(int64_t rows, int64_t n, const float *dy, float *dbias) {
    if (dbias != NULL) rt_bias_grad(rows, n, dy, n, dbias);
}

/* From the gradient of rotated heads to that of their projection's output, in place. */
static void heads_backward(const rt_workspace *ws, int64_t heads, const float *norm, const float *in, const float *rstd,
                           float *dy, float *dnorm_w) {
    const int64_t t = ws->plan.tokens, e = ws->config.head_dim;
    rt_rope(t, heads, e, ws->plan.position, ws->rope, true, dy, heads * e);
    if (norm != NULL) rt_rmsnorm_backward(t * heads, e, in, norm, rstd, dy, dy, false, dnorm_w);
}

static void attention_half(const layer_pass *l, const float *x_in) {
    const rt_workspace *ws = l->ws;
    const rt_layer_params *p = l->p, *g = l->g;
    const rt_layer_acts *a = l->a;
    const rt_config *c = &ws->config;
    const rt_plan *plan = &ws->plan;
    const int64_t t = plan->tokens, d = c->hidden_size, e = c->head_dim;
    const int64_t heads = c->num_attention_heads, groups = c->num_key_value_heads;
    bias_gradient(t, d, ws->dx, g->o_b);
    linear_backward(l, RT_LORA_O, d, heads * e, a->attn, p->o_w, ws->dx, g->o_w, ws->dattn, false);
    rt_attention_backward(plan->docs, plan->doc_start, heads, groups, e, rt_config_window(c, l->layer), ws->scale, a->q,
                          a->k, a->v, a->attn, a->lse, ws->dattn, ws->dq, ws->dk, ws->dv, ws->attention_scratch);
    heads_backward(ws, heads, p->q_norm, a->q_in, a->q_rstd, ws->dq, g->q_norm);
    heads_backward(ws, groups, p->k_norm, a->k_in, a->k_rstd, ws->dk, g->k_norm);
    bias_gradient(t, heads * e, ws->dq, g->q_b);
    bias_gradient(t, groups * e, ws->dk, g->k_b);
    bias_gradient(t, groups * e, ws->dv, g->v_b);
    linear_backward(l, RT_LORA_Q, heads * e, d, a->norm1, p->q_w, ws->dq, g->q_w, ws->dnorm, false);
    linear_backward(l, RT_LORA_K, groups * e, d, a->norm1, p->k_w, ws->dk, g->k_w, ws->dnorm, true);
    linear_backward(l, RT_LORA_V, groups * e, d, a->norm1, p->v_w, ws->dv, g->v_w, ws->dnorm, true);
    rt_rmsnorm_backward(t, d, x_in, p->input_norm, a->rstd1, ws->dnorm, ws->dx, true, g->input_norm);
}

void rt_layer_backward(const rt_workspace *ws, int64_t layer, const rt_layer_params *p, const rt_layer_acts *a,
                       const float *x_in, const rt_layer_params *g, const rt_params *grads) {
    const layer_pass l = {ws, layer, p, a, g, grads};
    feed_forward_half(&l);
    attention_half(&l, x_in);
}
