#!/usr/bin/env python3
"""Does transformers generate the same greedy text as `retort sample` from the same folder?

Run by hand; needs torch and transformers. No part of the test command.

    check_greedy.py --retort BUILD/src/cli/retort --model DIR [--count 50] [--max-new-tokens 320]

Draws problems of the validation split, samples them at temperature 0 with retort and generates greedily with
transformers (float32, its own tokenizer, the prompt template of tokenizer_config.json). Exit code 1 if any response
differs; for each that does it prints the first differing token and the gap between transformers' two largest logits
there, which tells a float tie from a fault."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def ours(args, problems):
    run = subprocess.run([args.retort, "sample", "--model", args.model, "--prompts", problems, "--n", "1",
                          "--temperature", "0", "--max-new-tokens", str(args.max_new_tokens), "--json", "--quiet"],
                         check=True, capture_output=True, text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--max-new-tokens", type=int, default=320)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        problems = str(pathlib.Path(folder) / "problems.jsonl")
        subprocess.run([args.retort, "data", "--split", "validation", "--count", str(args.count), "--output", problems,
                        "--quiet"], check=True)
        responses = ours(args, problems)
        texts = [json.loads(line)["problem"] for line in open(problems)]
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    config = json.loads((pathlib.Path(args.model) / "tokenizer_config.json").read_text())
    template = next(value for value in config.values() if isinstance(value, str) and "{problem}" in value)
    end, same, tokens = model.config.eos_token_id, 0, 0
    for problem, response in zip(texts, responses, strict=True):
        ids = tokenizer(template.replace("{problem}", problem), return_tensors="pt").input_ids
        with torch.no_grad():
            out = model.generate(ids, do_sample=False, max_new_tokens=args.max_new_tokens, output_logits=True,
                                 return_dict_in_generate=True, pad_token_id=end)
        theirs = out.sequences[0, ids.shape[1]:].tolist()
        mine = response["token_ids"]
        if theirs and theirs[-1] == end and (not mine or mine[-1] != end):
            theirs = theirs[:-1]
        tokens += len(mine)
        if theirs == mine:
            same += 1
            continue
        at = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), min(len(mine), len(theirs)))
        gap = torch.topk(out.logits[at][0], 2).values.diff().abs().item() if at < len(out.logits) else float("nan")
        print(f"{response['problem_id']}: differs at token {at}; gap of the two largest logits {gap:.3g}")
    print(f"{same} of {len(responses)} greedy responses are the same ({tokens} tokens)")
    return same != len(responses)


if __name__ == "__main__":
    sys.exit(main())
