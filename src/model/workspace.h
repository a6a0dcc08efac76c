/* What a training pass keeps: one arena, carved once.
 *
 * Shapes: T tokens, D model width, Q = H * E, K = G * E, F feed-forward width, V vocabulary, S scored rows.
 * Without recomputation every layer has its own rt_layer_acts; with it all layers share one and only the layers' inputs
 * x[l] survive until the backward pass, which runs the layer's forward again before it needs the rest. */
#ifndef RT_MODEL_WORKSPACE_H
#define RT_MODEL_WORKSPACE_H

#include "model/lora.h"

typedef struct rt_layer_acts {
    float *norm1, *rstd1; /* [T][D], [T]: the input of q, k, v */
    /* Before their norm, where there is one: [T][Q], [T][H], [T][K], [T][G]. */
    float *q_in, *q_rstd, *k_in, *k_rstd;
    float *q, *k, *v;     /* [T][Q], [T][K], [T][K]: after bias, norm and rotation */
    float *attn, *lse;    /* [T][Q], [T][H] */
    float *mid;           /* [T][D]: the residual stream between attention and feed-forward */
    float *norm2, *rstd2; /* [T][D], [T] */
    float *gate, *up, *h; /* [T][F] each; backward overwrites gate and up with their gradients */
} rt_layer_acts;

/* The part of a batch that can matter: documents are cut after their last scored token (nothing before it sees what
 * follows) and documents without one are left out. */
typedef struct rt_plan {
    int64_t tokens, docs, scored;
    int32_t *ids;         /* [T] */
    int32_t *position;    /* [T]: counts from 0 in each document */
    int32_t *doc_start;   /* [docs + 1] */
    int32_t *scored_row;  /* [S]: row among the kept tokens */
    int32_t *scored_from; /* [S]: token of the caller's batch */
    int32_t *target;      /* [S] */
} rt_plan;

struct rt_workspace {
    rt_config config;
    rt_workspace_shape shape;
    int64_t max_tokens; /* shape.max_tokens */
    int64_t max_doc;    /* longest document: max_tokens or the context length */
    float scale;        /* 1 / sqrt(E) */
    float *arena;
    rt_layer_acts *acts; /* [L] */
    float **x;           /* [L + 1] of [T][D]: the residual stream into each layer and out of the last */
    rt_plan plan;
    float *rope;             /* [max_doc][2][E/2] */
    float *final_in, *final; /* [S][D]: scored rows before and after the last norm */
    float *final_rstd;       /* [S] */
    float *logp, *entropy;   /* [S] */
    float *coefficient;      /* [T]: the caller's dLoss/dlogp */
    float *dx, *dnorm;       /* [T][D]; dnorm doubles as the gradient of final */
    float *dh;               /* [T][F], shares memory with the four below */
    float *dattn, *dq, *dk, *dv;
    float *attention_scratch, *head_scratch;
    float *lora_scratch; /* [2][T][r] */
    /* Tied embeddings only: the input-side gradient since the last flush. It cannot go to the head's gradient at once,
     * whose chain over tokens runs on in the next micro-batch. Only ids met have a row; how many there can be is known
     * before the work starts (shape.step_tokens). */
    int64_t embed_rows, embed_used;
    float *embed_grad;   /* [embed_rows][D] */
    int32_t *embed_row;  /* [V]: 1 + the row of an id, 0: none yet */
    int32_t *embed_id;   /* [embed_rows] */
    int32_t *embed_slot; /* [T]: the row of each token of the plan */
    const rt_lora *lora; /* of the model that runs */
};

/* Checks the batch against the workspace and fills ws->plan. */
retort_status rt_plan_batch(rt_workspace *ws, const rt_batch *batch, retort_error *err);

/* One layer over the plan's tokens, x_in -> x_out [T][D], filling acts. */
void rt_layer_forward(const rt_workspace *ws, int64_t layer, const rt_layer_params *p, const rt_layer_acts *acts,
                      const float *x_in, float *x_out);
/* ws->dx holds the gradient of the layer's output and receives that of its input; adds to the gradients g of the layer,
 * whose pointers are NULL where the weights are frozen, and to those of the adapters in `grads`. */
void rt_layer_backward(const rt_workspace *ws, int64_t layer, const rt_layer_params *p, const rt_layer_acts *acts,
                       const float *x_in, const rt_layer_params *g, const rt_params *grads);

#endif
