"""Supervised fine-tuning of a folder with TRL, as a user would write it: the whole command is what is timed.

    python trl_sft.py MODEL TRACES EPOCHS BATCH OUT
"""
import sys

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

import json


def main():
    model, traces, epochs, batch, out = sys.argv[1:]
    rows = [json.loads(line) for line in open(traces)]
    data = Dataset.from_list([{"prompt": r.get("prompt") or r["problem"], "completion": r.get("completion") or r["response"]}
                              for r in rows])
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    args = SFTConfig(output_dir=out, num_train_epochs=float(epochs), per_device_train_batch_size=int(batch),
                     learning_rate=5e-4, max_length=512, report_to=[], save_strategy="no", logging_steps=1, use_cpu=True,
                     bf16=False, fp16=False, gradient_checkpointing=False, disable_tqdm=True, warmup_steps=0,
                     dataloader_pin_memory=False)
    trainer = SFTTrainer(model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), args=args,
                         train_dataset=data, processing_class=tokenizer)
    trainer.train()
    trainer.save_model(out)


main()
