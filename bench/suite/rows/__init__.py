"""Rows by name: each is a function of the context that yields finished rows."""
from . import matmul, sampling, scaling, text, training, whole

ROWS = {
    "matmul": (matmul.rows, "fp32 matrix products, training shapes, 1 and 2 threads"),
    "attention": (training.attention, "attention forward and backward, 8,192 tokens"),
    "step": (training.steps, "SFT step: mini, GPT-2 124M and 0.5B shapes"),
    "compiled": (training.compiled, "the mini and 0.5B steps beside torch.compile"),
    "memory": (training.memory, "peak memory of the 0.5B step"),
    "decode": (sampling.decode, "decoding one sequence, bf16, fp32 and int8"),
    "prefill": (sampling.prefill, "prefill of 2,048 tokens"),
    "rollout": (sampling.rollout, "64 responses sharing 8 prompts"),
    "scaling": (scaling.rows, "steps and decoding by context, batch and threads beside what `retort plan` predicts"),
    "tokenizer": (text.tokenizer, "encoding and decoding of text, one thread"),
    "start": (whole.start, "first token of `retort sample`, 0.5B bf16"),
    "sft": (whole.sft, "the whole fine-tuning command beside TRL's SFTTrainer"),
    "grpo": (whole.grpo, "one GRPO step beside TRL's GRPOTrainer"),
    "study": (whole.study, "./study.sh, the default study (not part of everything)"),
}
ON_REQUEST = {"study"}
