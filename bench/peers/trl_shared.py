"""What the TRL programs share. To be imported first: it takes the time that importing takes."""
import json
import time

_begun = time.perf_counter()
import datasets  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
import trl  # noqa: E402, F401
from trl import GRPOTrainer, SFTTrainer  # noqa: E402, F401  # trl imports its parts when they are first asked for

IMPORT_SECONDS = time.perf_counter() - _begun


def load(folder):
    """Model in float32 and tokenizer; neither is told anything that the folder does not say."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), tokenizer


def read(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def prompt(tokenizer, problem):
    """As retort shows a problem to the same model."""
    return tokenizer.apply_chat_template([{"role": "user", "content": problem}], tokenize=False, add_generation_prompt=True)


def dataset(rows):
    return datasets.Dataset.from_list(rows)


# Settings of both trainers: what retort does as well, and nothing that only costs time.
COMMON = {"report_to": [], "save_strategy": "no", "logging_steps": 1, "disable_tqdm": True, "use_cpu": True, "bf16": False,
          "fp16": False, "gradient_checkpointing": False, "dataloader_pin_memory": False, "adam_epsilon": 1e-8,
          "max_grad_norm": 1.0}


class Steps(transformers.TrainerCallback):
    """Seconds of the training steps alone, and how many updates there were."""

    def __init__(self):
        self.seconds, self.cpu, self.updates = 0.0, 0.0, 0

    def on_step_begin(self, *_, **__):
        self.at = time.perf_counter(), time.process_time()

    def on_optimizer_step(self, *_, **__):
        self.updates += 1

    def on_step_end(self, *_, **__):
        self.seconds += time.perf_counter() - self.at[0]
        self.cpu += time.process_time() - self.at[1]


def run(trainer, out):
    """Trains, saves as retort does, and says on the last line what was done."""
    steps = Steps()
    trainer.add_callback(steps)
    trainer.train()
    trainer.save_model(out)
    if trainer.model.is_gradient_checkpointing:
        raise RuntimeError("activations were recomputed, which retort does not do here")
    history = [entry for entry in trainer.state.log_history if "num_tokens" in entry]
    print(json.dumps({"updates": steps.updates, "tokens": int(history[-1]["num_tokens"]), "step_seconds": steps.seconds,
                      "step_cpu": steps.cpu, "import_seconds": IMPORT_SECONDS, "last": history[-1]}), flush=True)
