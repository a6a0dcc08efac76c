#!/usr/bin/env python3
"""Do transformers and llama.cpp make of our conversions what we make of the GGUF file?

Run by hand; needs torch, transformers and llama-cpp-python. No part of the test command.

    check_gguf.py --retort BUILD/src/cli/retort --tool BUILD/tests/model/dump_logits --gguf MODEL.gguf
                  [--prompts 20] [--max-new-tokens 48] [--work FOLDER] [--skip-llama]

1. `retort model convert` writes the file as a folder of float32; transformers loads it without complaint, and its logits
   are ours to 1e-4 of the largest.
2. AutoTokenizer gives our ids for many texts and for the chat template's renderings.
3. Greedy answers: `retort sample` on the file and on the folder, and transformers on the folder, to the same prompts.
4. `retort model convert` writes the folder as a GGUF file of float32; llama.cpp (llama-cpp-python) loads it, gives our
   ids for the same texts, and the same greedy tokens.

Exit code 1 if anything differs that is no float tie: for each answer that differs it prints the first differing token
and the gap between transformers' two largest logits there."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["Hello, world!", "  two  spaces\n\n\tand tabs ", "It's 12345.678 o'clock, we'LL see", "héllo wörld ñ 日本語 中文 한국어",
         "مرحبا بالعالم", "नमस्ते दुनिया", "emoji 🙂🤖👩‍👩‍👧 end", "def f(x):\n    return x**2  # comment\n", r"\frac{1}{2} + \sqrt{3} = x_{i}^{2}",
         "<|im_start|>user\nhi<|im_end|>\n", "a" * 300, " ", "\n", "", "...!!!???", "e\u0301 combining, \u00a0nbsp, \u2003em space",
         "\u200b\u200dzero width", "MiXeD CaSe WORDS and_snake_case-kebab", "1 22 333 4444 55555", "end "]
QUESTIONS = ["What is the capital of France?", "Write a haiku about the sea.", "What is 17 + 25?", "Name three primary colours.",
             "Explain photosynthesis in one sentence.", "Who wrote Hamlet?", "What is the opposite of hot?",
             "List the days of the week.", "How many legs does a spider have?", "Translate 'good morning' to French.",
             "What is the boiling point of water?", "Give me a synonym of happy.", "What do bees make?",
             "Write one line of Python that prints hello.", "Which planet is the largest?", "What is the square of 9?",
             "Why is the sky blue?", "Count from one to ten.", "What is a noun?", "Tell me a short joke."]


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, **more).stdout


def our_ids(args, model, text):
    out = run(args.retort, "tokenize", "--model", model, "--json", input=text.encode())
    return json.loads(out)["ids"]


def check_logits(args, folder, model, ids):
    with tempfile.NamedTemporaryFile() as out:
        run(args.tool, "run", folder, out.name, *ids)
        got = np.fromfile(out.name, dtype="<f4").reshape(len(ids), -1)
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    relative = float(np.abs(got - expected).max() / np.abs(expected).max())
    print(f"logits: largest difference {relative:.3g} of the largest logit, over {len(ids)} positions")
    return relative <= 1e-4


def check_ids(args, gguf, folder, tokenizer):
    bad = 0
    for text in TEXTS:
        theirs = tokenizer(text).input_ids
        for model in (gguf, folder):
            if our_ids(args, model, text) != theirs:
                print(f"ids differ for {text!r}: {our_ids(args, model, text)} and {theirs}")
                bad += 1
    print(f"ids: {len(TEXTS)} texts, file and folder, {bad} differ from AutoTokenizer")
    return bad == 0


def our_answers(args, model, prompts):
    out = run(args.retort, "sample", "--model", model, "--prompts", prompts, "--n", 1, "--temperature", 0, "--batch", 20,
              "--max-new-tokens", args.max_new_tokens, "--json", "--quiet")
    return [json.loads(line)["token_ids"] for line in out.splitlines()]


def compare(name, ours, theirs, gaps):
    """A difference where the two largest logits are this close is a tie of float32."""
    same = faults = 0
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a == b:
            same += 1
            continue
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        gap = gaps[number][at] if gaps and at < len(gaps[number]) else float("nan")
        print(f"  {name}: answer {number} differs at token {at} of {len(a)}; gap of the two largest logits {gap:.3g}")
        faults += not gap < 1e-3
    print(f"{name}: {same} of {len(ours)} greedy answers are the same ({sum(map(len, ours))} tokens), {faults} faults")
    return faults == 0


def transformers_answers(args, model, prompts_ids, ends):
    answers, gaps = [], []
    for ids in prompts_ids:
        with torch.no_grad():
            out = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=args.max_new_tokens,
                                 output_logits=True, return_dict_in_generate=True, pad_token_id=ends[0])
        answer = out.sequences[0, len(ids):].tolist()
        top = [torch.topk(step[0], 2).values for step in out.logits]
        gaps.append([float(t[0] - t[1]) for t in top])
        answers.append(answer)
    return answers, gaps


def without_end(answers, ends):
    return [answer[:-1] if answer and answer[-1] in ends else answer for answer in answers]


def llama_answers(args, path, prompts_ids, ends):
    from llama_cpp import GGML_TYPE_F32, Llama
    # Its key-value cache is F16 by default, which alone flips an answer now and then.
    llama = Llama(model_path=str(path), n_ctx=1024, n_threads=2, verbose=False, logits_all=False, type_k=GGML_TYPE_F32,
                  type_v=GGML_TYPE_F32, flash_attn=False)
    answers = []
    for ids in prompts_ids:
        answer = []
        llama.reset()
        for token in llama.generate(ids, top_k=1, temp=0.0, repeat_penalty=1.0, reset=True):
            if token in ends or len(answer) == args.max_new_tokens:
                break
            answer.append(token)
        answers.append(answer)
    return llama, answers


def check_llama(args, work, folder, prompts_ids, ours, ends, gaps, tokenizer):
    path = work / "f32.gguf"
    if not path.exists():
        run(args.retort, "model", "convert", "--in", folder, "--out", path, "--dtype", "f32")
    llama, answers = llama_answers(args, path, prompts_ids, ends)
    bad = 0
    for text in TEXTS:
        theirs = llama.tokenize(text.encode(), add_bos=True, special=True)
        bad += theirs != our_ids(args, folder, text)
        if theirs != our_ids(args, folder, text):
            print(f"llama.cpp's ids differ for {text!r}: {our_ids(args, folder, text)} and {theirs}")
    print(f"llama.cpp: {len(TEXTS)} texts, {bad} with other ids")
    return compare("llama.cpp", ours, answers, gaps) and bad == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--max-new-tokens", type=int, default=48)
    parser.add_argument("--work")
    parser.add_argument("--skip-llama", action="store_true")
    parser.add_argument("--only-llama", action="store_true", help="without transformers' answers")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(args.work or temporary)
        folder = work / "hf"
        if not folder.exists():
            run(args.retort, "model", "convert", "--in", args.gguf, "--out", folder, "--dtype", "f32")
        model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                             output_loading_info=True)
        problems = {key: value for key, value in report.items() if value}
        assert not problems, problems
        tokenizer = AutoTokenizer.from_pretrained(folder)
        prompts = work / "prompts.jsonl"
        chats = [[{"role": "user", "content": question}] for question in QUESTIONS[:args.prompts]]
        prompts.write_text("".join(json.dumps({"id": str(i), "messages": chat}) + "\n" for i, chat in enumerate(chats)))
        ids = [tokenizer(tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False),
                         add_special_tokens=False).input_ids for chat in chats]
        good = check_logits(args, folder, model, ids[0] + tokenizer(" and so on, 123 times.").input_ids)
        good = check_ids(args, args.gguf, folder, tokenizer) and good
        end = model.generation_config.eos_token_id
        ends = end if isinstance(end, list) else [end]
        ours = without_end(our_answers(args, folder, prompts), ends)
        direct = without_end(our_answers(args, args.gguf, prompts), ends)
        print(f"retort: file and folder give the same {len(ours)} answers: {direct == ours}")
        good, gaps = good and direct == ours, None
        if not args.only_llama:
            theirs, gaps = transformers_answers(args, model, ids, ends)
            good = compare("transformers", ours, without_end(theirs, ends), gaps) and good
        if not args.skip_llama:
            good = check_llama(args, work, folder, ids, ours, ends, gaps, tokenizer) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
