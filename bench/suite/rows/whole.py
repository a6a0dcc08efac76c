"""Whole commands: what a user waits for, from the start of the process to its end."""
import json
import resource
import subprocess
import sys
import time

from ..context import ROOT, environment
from ..row import paired, seconds_of


def command(words, wait_for_output=False, **env):
    """Runs a command; seconds to its end, or to its first line of output."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**environment(), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **env})
    if wait_for_output:
        process.stdout.readline()
        seconds = time.perf_counter() - begun
    _, errors = process.communicate()
    if not wait_for_output:
        seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, words, stderr=errors[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {"seconds": seconds, "cpu": cpu}


def start(context):
    """One token is asked for, so the end of the command is no earlier than the first token."""
    model, prompts = context.model("qwen2.5-0.5b", "bf16"), context.cache / "prompt.jsonl"
    prompts.write_text(json.dumps({"id": "a", "prompt": "Numbers: 1 2 3"}) + "\n")
    words = [context.retort, "sample", "--quiet", "--model", model, "--prompts", str(prompts), "--max-new-tokens", "1",
             "--ignore-eos", "--json"]
    row = paired(context, "start-sample", "`retort sample`, 0.5B bf16 folder in the page cache, to the first token",
                 {"retort": lambda: command(words, True)}, {})
    seconds = seconds_of(row)
    row["targets"]["seconds"] = {"target": 0.5, "met": seconds <= 0.5, "value": round(seconds, 3)}
    yield row


def examples(context, count):
    """Traces of the embedded world, from the program itself."""
    problems, traces = context.cache / f"problems-{count}.jsonl", context.cache / f"traces-{count}.jsonl"
    if not traces.exists():
        subprocess.run([context.retort, "data", "--quiet", "--split", "distill", "--count", str(count), "--output",
                        str(problems)], check=True)
        subprocess.run([context.retort, "teach", "--quiet", "--problems", str(problems), "--output", str(traces)],
                       check=True)
    return str(problems), str(traces)


def sft(context):
    """Traces on the shipped base, both commands from the shell to the written model."""
    count = 64 if context.small else 256
    _, traces = examples(context, count)
    base, out = str(ROOT / "assets/countdown-base"), context.cache / "sft"
    ours = [context.retort, "distill", "--quiet", "--model", base, "--dataset", traces, "--num-train-epochs", "2",
            "--train-batch-size", "16", "--save-steps", "0"]
    theirs = [sys.executable, str(ROOT / "bench/peers/trl_sft.py"), base, traces, "2", "16"]
    serial = iter(range(10 ** 6))
    sides = {"retort": lambda: command([*ours, "--output-dir", f"{out}/ours-{next(serial)}"]),
             "TRL": lambda: command([*theirs, f"{out}/theirs"])}
    subprocess.run(["rm", "-rf", str(out)], check=True)
    yield paired(context, f"sft-mini-{count}", f"whole fine-tuning command, shipped base, {count} traces, 2 epochs of "
                 "batches of 16", sides, {"TRL": 1.5}, warm=False)


def grpo(context):
    """Steps of 64 responses of at most 256 tokens, rollout and update; the base is the shipped one."""
    problems, _ = examples(context, 64)
    base, out, steps = str(ROOT / "assets/countdown-base"), context.cache / "grpo", 2
    ours = [context.retort, "rl", "--quiet", "--model", base, "--dataset", problems, "--prompts-per-step", "8",
            "--num-generations", "8", "--max-completion-length", "256", "--max-steps", str(steps), "--probe-problems", "0",
            "--save-steps", "0"]
    theirs = [sys.executable, str(ROOT / "bench/peers/trl_grpo.py"), base, problems, str(steps)]
    serial = iter(range(10 ** 6))

    sides = {"retort": lambda: command([*ours, "--output-dir", f"{out}/ours-{next(serial)}"]),
             "TRL": lambda: command([*theirs, f"{out}/theirs"])}
    subprocess.run(["rm", "-rf", str(out)], check=True)
    yield paired(context, "grpo-mini", f"whole GRPO command, shipped base, {steps} steps of 8 x 8 responses of at most 256 "
                 "tokens", sides, {"TRL": 5.0}, warm=False)


def study(context):
    out = context.cache / "study"
    subprocess.run(["rm", "-rf", str(out)], check=True)
    yield paired(context, "study", "`./study.sh`, the default study", {
        "retort": lambda: command([context.retort, "study", "--quiet", "--out", str(out)])}, {}, runs=1, warm=False)
