"""GRPO of a folder with TRL: 8 problems of 8 responses a step; the whole command is what is timed, and the steps in it.

    python trl_grpo.py MODEL PROBLEMS STEPS LENGTH OUT

The reward is not what is compared: it looks for an equals sign near the end only.
"""
import sys

import trl_shared  # first: it takes the time of importing
from trl import GRPOConfig, GRPOTrainer


def reward(completions, **_):
    return [1.0 if "=" in c[-8:] else 0.0 for c in completions]


def main():
    folder, problems, steps, length, out = sys.argv[1:]
    model, tokenizer = trl_shared.load(folder)
    data = trl_shared.dataset([{"prompt": trl_shared.prompt(tokenizer, r["problem"])} for r in trl_shared.read(problems)])
    args = GRPOConfig(output_dir=out, max_steps=int(steps), per_device_train_batch_size=64, num_generations=8,
                      max_completion_length=int(length), temperature=1.0, top_p=1.0, top_k=0, learning_rate=1e-4,
                      lr_scheduler_type="constant", weight_decay=0.0, adam_beta1=0.9, adam_beta2=0.999, beta=0.04,
                      loss_type="dapo", scale_rewards="group", num_iterations=1, epsilon=0.2, **trl_shared.COMMON)
    trl_shared.run(GRPOTrainer(model=model, args=args, train_dataset=data, processing_class=tokenizer,
                               reward_funcs=reward), out)


main()
