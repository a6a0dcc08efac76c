#!/usr/bin/env python3
"""Does transformers read the model folders that retort writes, and compute the same logits?

Run by hand; needs torch, transformers and safetensors. No part of the test command.

    check_transformers.py --tool BUILD/tests/model/dump_logits
        writes small random models (tied and untied; F32, BF16, F16; then one of each architecture, rope type and
        window, in shards) with the tool, and checks each
    check_transformers.py --tool BUILD/tests/model/dump_logits --dir DIR [--ids 1,2,3]
        checks an existing folder, such as assets/countdown-base
    check_transformers.py --dir DIR --ids 1,2,3 --logits FILE
        compares with logits that something else wrote (raw float32, [ids][vocabulary])

For each folder it prints the largest difference, and fails (exit code 1) where one exceeds --tolerance, where a tensor
is missing, unexpected or of another shape to transformers. With the tool it also saves the model with transformers and
reads that folder back: the logits must have the same bits.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from transformers import AutoModelForCausalLM, GenerationConfig


def ours(tool, folder, ids):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([tool, "run", folder, out.name, *map(str, ids)], check=True)
        return np.fromfile(out.name, dtype="<f4").reshape(len(ids), -1)


def theirs(folder, ids):
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    problems = {key: value for key, value in report.items() if value}
    assert not problems, f"{folder}: transformers reports {problems}"
    with torch.no_grad():
        return model, model(torch.tensor([ids])).logits[0].numpy()


def check(folder, tool, ids, logits, tolerance):
    model, expected = theirs(folder, ids)
    got = logits if logits is not None else ours(tool, folder, ids)
    assert got.shape == expected.shape, f"{folder}: shapes {got.shape} and {expected.shape}"
    difference = float(np.abs(got - expected).max())
    scale = float(np.abs(expected).max())
    same = bool((got.argmax(-1) == expected.argmax(-1)).all())
    generation = GenerationConfig.from_pretrained(folder)
    print(f"{folder}: largest difference {difference:.3g} of {scale:.3g}, same greedy tokens: {same}, "
          f"eos {generation.eos_token_id}, rope {model.config.rope_parameters}")
    ok = difference <= tolerance and same
    if tool:
        with tempfile.TemporaryDirectory() as back:
            model.save_pretrained(back)
            again = ours(tool, back, ids)
            bits = again.tobytes() == got.tobytes()
            print(f"  saved by transformers, read by us: {'same bits' if bits else 'DIFFERENT'}")
            ok = ok and bits
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool")
    parser.add_argument("--dir")
    parser.add_argument("--ids", default="1,5,9,17,2,8,100,3,77,42,6,11,1,1,90,23")
    parser.add_argument("--logits")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    ids = [int(word) for word in args.ids.split(",")]
    warnings.simplefilter("ignore")
    if args.dir:
        logits = np.fromfile(args.logits, dtype="<f4").reshape(len(ids), -1) if args.logits else None
        return 0 if check(args.dir, args.tool, ids, logits, args.tolerance) else 1
    good = True
    with tempfile.TemporaryDirectory() as base:
        for tied in ("tied", "untied"):
            for dtype in ("F32", "BF16", "F16"):
                folder = str(pathlib.Path(base) / f"{tied}-{dtype}")
                subprocess.run([args.tool, "make", folder, tied, dtype], check=True)
                good = check(folder, args.tool, ids, None, args.tolerance) and good
        for number in range(6):
            folder = str(pathlib.Path(base) / f"feature-{number}")
            subprocess.run([args.tool, "make", folder, str(number), "F32"], check=True)
            long = [(i * i * 7 + 3 * i + 5) % 211 for i in range(60)]
            good = check(folder, args.tool, long, None, args.tolerance) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
