"""Supervised fine-tuning of a folder with TRL, as a user would write it: the whole command is what is timed.

    python trl_sft.py MODEL TRACES EPOCHS BATCH OUT

Examples of like length share a batch, so that little is padded: with random batches, TRL's default, it is slower.
"""
import sys

import trl_shared  # first: it takes the time of importing
from trl import SFTConfig, SFTTrainer


def main():
    folder, traces, epochs, batch, out = sys.argv[1:]
    model, tokenizer = trl_shared.load(folder)
    data = trl_shared.dataset([{"prompt": trl_shared.prompt(tokenizer, r["problem"]), "completion": r["response"]}
                               for r in trl_shared.read(traces)])
    args = SFTConfig(output_dir=out, num_train_epochs=float(epochs), per_device_train_batch_size=int(batch),
                     learning_rate=5e-4, lr_scheduler_type="cosine", weight_decay=0.01, adam_beta1=0.9, adam_beta2=0.95,
                     max_length=512, train_sampling_strategy="group_by_length", **trl_shared.COMMON)
    trl_shared.run(SFTTrainer(model=model, args=args, train_dataset=data, processing_class=tokenizer), out)


main()
