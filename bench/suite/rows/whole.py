"""Whole commands: what a user waits for, from the start of the process to its end."""
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time

from .. import pairs, row
from ..context import ROOT, environment
from ..row import paired, seconds_of


def command(words, wait_for_output=False, **env):
    """Runs a command; seconds to its end, or to its first line of output, and its last line."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**environment(), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **env})
    if wait_for_output:
        process.stdout.readline()
        seconds = time.perf_counter() - begun
    said, errors = process.communicate()
    if not wait_for_output:
        seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with status {process.returncode}:\n{errors[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {"seconds": seconds, "cpu": cpu, "last_line": said.strip().rpartition("\n")[2]}


def start(context):
    """One token is asked for, so the end of the command is no earlier than the first token."""
    model, prompts = context.model("qwen2.5-0.5b", "bf16"), context.cache / "prompt.jsonl"
    prompts.write_text(json.dumps({"id": "a", "prompt": "Numbers: 1 2 3"}) + "\n")
    words = [context.retort, "sample", "--quiet", "--model", model, "--prompts", str(prompts), "--max-new-tokens", "1",
             "--ignore-eos", "--json", "--threads", str(context.threads)]
    row = paired(context, "start-sample", "`retort sample`, 0.5B bf16 folder in the page cache, to the first token",
                 {"retort": lambda: command(words, True)}, {})
    seconds = seconds_of(row)
    row["targets"]["seconds"] = {"target": 0.5, "met": seconds <= 0.5, "value": round(seconds, 3)}
    yield row


# ---- beside TRL ----

def examples(context, count):
    """Traces of the embedded world, from the program itself."""
    problems, traces = context.cache / f"problems-{count}.jsonl", context.cache / f"traces-{count}.jsonl"
    if not traces.exists():
        subprocess.run([context.retort, "data", "--quiet", "--split", "distill", "--count", str(count), "--output",
                        str(problems)], check=True)
        subprocess.run([context.retort, "teach", "--quiet", "--problems", str(problems), "--output", str(traces)],
                       check=True)
    return str(problems), str(traces)


def a_step(sample, count):
    """Of TRL the steps alone, of retort, which does not tell them, all there is."""
    seconds, cpu = sample.get("step_seconds", sample["seconds"]), sample.get("step_cpu", sample["cpu"])
    return {**sample, "seconds": seconds / count, "cpu": cpu / count}


class Whole:
    """One training command of ours and one of TRL's. Each says what it did, and that must be the same."""

    def __init__(self, context, ours, program, words, out):
        self.context, self.out, self.serial, self.did = context, out, 0, None
        self.ours = [context.retort, *ours, "--threads", str(context.threads), "--output-dir"]
        self.theirs = [sys.executable, str(ROOT / "bench/peers" / program), *words]
        shutil.rmtree(out, ignore_errors=True)

    def retort(self):
        self.serial += 1
        folder = self.out / f"retort-{self.serial}"
        sample = command([*self.ours, str(folder)])
        state = json.loads((folder / "trainer_state.json").read_text())
        self.did = {"updates": state["updates"], "tokens": self.tokens(state)}
        shutil.rmtree(folder)
        return sample

    def tokens(self, state):
        """Of all sequences; the last token of each is an answer and no input."""
        return int(state["account"]["trained_tokens"]) + self.sequences(state)

    def sequences(self, state):
        return state["account"]["examples"]

    def trl(self):
        sample = command([*self.theirs, str(self.out / "trl")], OMP_NUM_THREADS=str(self.context.threads))
        told = json.loads(sample["last_line"])
        did = {key: told[key] for key in ("updates", "tokens")}
        if did != self.did:
            raise RuntimeError(f"TRL did {did}, retort {self.did}: these are not the same work")
        return {**sample, **told}

    def sides(self):
        found = {"retort": self.retort}
        if self.context.found("TRL", "trl"):
            found["TRL"] = self.trl
        return found

    def rows(self, name, what, wanted, steps_wanted):
        """Whole against whole; then our whole command against TRL's steps alone, without its imports, loading and saving."""
        context = self.context
        taken = pairs.take(self.sides(), context.probe, context.threads, context.runs, context.patience, warm=False)
        whole = row.of(context, taken, name, f"whole command, {what}", wanted, context.threads, work=self.did)
        if "TRL" in whole["sides"]:
            whole["import_seconds"] = statistics.median(r["TRL"]["import_seconds"] for r in taken["rounds"])
            whole["notes"] = [f"importing TRL: {whole['import_seconds']:.1f} s"]
        yield whole
        count = self.did["updates"]
        rounds = [{name: a_step(sample, count) for name, sample in r.items()} for r in taken["rounds"]]
        step = row.of(context, {**taken, "rounds": rounds}, f"{name}-step",
                      f"a step of it: our whole command / {count}, TRL's steps alone / {count}", steps_wanted,
                      context.threads, work=self.did)
        step["tokens_per_second"] = round(self.did["tokens"] / count / seconds_of(step), 1)
        yield step


def sft(context):
    """Traces on the shipped base, both commands from the shell to the written model."""
    count = 64
    _, traces = examples(context, count)
    base = str(ROOT / "assets/countdown-base")
    ours = ["distill", "--quiet", "--model", base, "--dataset", traces, "--num-train-epochs", "2",
            "--train-batch-size", "16", "--save-steps", "0"]
    whole = Whole(context, ours, "trl_sft.py", [base, traces, "2", "16"], context.cache / "sft")
    yield from whole.rows(f"sft-mini-{count}", f"shipped base, {count} traces, 2 epochs of batches of 16", {"TRL": 1.5}, {})


LENGTH, UNUSED, END = 256, "\u00ff", "<|never|>"  # UNUSED: the token of byte 0xff, which no UTF-8 has


def endless(context):
    """The shipped base with an end token that it never draws, so that every response has its full length on both sides."""
    base, folder = ROOT / "assets/countdown-base", context.cache / "models" / "mini-endless"
    if (folder / "model.safetensors").exists():
        return str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads((base / "tokenizer.json").read_text())
    number = tokenizer["model"]["vocab"].pop(UNUSED)
    tokenizer["model"]["vocab"][END] = number
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": number, "content": END})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    for name, changed in (("config.json", {"eos_token_id": number}), ("generation_config.json", {"eos_token_id": number}),
                          ("tokenizer_config.json", {"eos_token": END})):
        (folder / name).write_text(json.dumps({**json.loads((base / name).read_text()), **changed}))
    shutil.copy(base / "model.safetensors", folder)
    return str(folder)


class Policy(Whole):
    def sequences(self, state):
        return state["account"]["examples"] * 8


def grpo(context):
    """Steps of 64 responses of 256 tokens, rollout and update; each problem is used once, so both sides see the same
    prompts. With beta 0 retort would leave out responses whose advantage is 0, and do less than TRL; with a divergence from the base in
    the loss (0.04, as in the paper of GRPO) both train on all of them."""
    steps = 2
    problems = context.cache / f"problems-{8 * steps}.jsonl"
    subprocess.run([context.retort, "data", "--quiet", "--split", "distill", "--count", str(8 * steps), "--output",
                    str(problems)], check=True)
    base = endless(context)
    ours = ["rl", "--quiet", "--model", base, "--dataset", str(problems), "--prompts-per-step", "8",
            "--num-generations", "8", "--max-completion-length", str(LENGTH), "--max-steps", str(steps), "--beta", "0.04", "--probe-problems", "0",
            "--save-steps", "0"]
    whole = Policy(context, ours, "trl_grpo.py", [base, str(problems), str(steps), str(LENGTH)], context.cache / "grpo")
    what = f"GRPO of the shipped base, {steps} steps of 8 x 8 responses of {LENGTH} tokens, beta 0.04"
    yield from whole.rows("grpo-mini", what, {}, {"TRL": 5.0})


def study(context):
    out = context.cache / "study"
    subprocess.run(["rm", "-rf", str(out)], check=True)
    yield paired(context, "study", "`./study.sh`, the default study", {
        "retort": lambda: command([context.retort, "study", "--quiet", "--out", str(out)])}, {}, runs=1, warm=False)
