"""GRPO of a folder with TRL: 8 problems of 8 responses a step, at most 256 tokens; the whole command is what is timed.

    python trl_grpo.py MODEL PROBLEMS STEPS OUT

The reward is not what is compared: it looks for the end of an answer only.
"""
import json
import sys

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer


def reward(completions, **_):
    return [1.0 if "=" in c[-40:] else 0.0 for c in completions]


def main():
    model, problems, steps, out = sys.argv[1:]
    rows = [json.loads(line) for line in open(problems)]
    data = Dataset.from_list([{"prompt": r["problem"]} for r in rows])
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    args = GRPOConfig(output_dir=out, max_steps=int(steps), per_device_train_batch_size=64, num_generations=8,
                      max_completion_length=256, learning_rate=1e-4, beta=0.0, report_to=[], save_strategy="no",
                      logging_steps=1, use_cpu=True, bf16=False, fp16=False, gradient_checkpointing=False,
                      disable_tqdm=True, temperature=1.0, top_p=1.0, top_k=0, dataloader_pin_memory=False)
    trainer = GRPOTrainer(model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), args=args,
                          train_dataset=data, processing_class=tokenizer, reward_funcs=reward)
    trainer.train()


main()
