#!/bin/sh
# Largest resident set of full fine-tuning and of LoRA on a model of Qwen2.5-0.5B's shape, one example of 8,192 tokens.
#   bench/memory.sh RETORT FOLDER [PYTHON]     FOLDER takes about 4 GB; PYTHON (python3) needs numpy
# The first (and only) step takes a short example, in memory laid out for the long one: all of a step's
# memory is written to before the step begins, so the peak is the same and comes in minutes.
set -eu
retort=$1 folder=$2 python=${3:-python3}
here=$(dirname "$0")
[ -f "$folder/model/model.safetensors" ] ||
    "$python" "$here/make_random_model.py" "$folder/model" "$here/../assets/countdown-base"
"$python" - "$folder/examples.jsonl" <<'PYTHON'
import json, sys
long = " ".join(f"{i % 99} + {i % 97} = {i % 99 + i % 97}" for i in range(4000))
with open(sys.argv[1], "w") as file:
    for text in (long, "1 + 2 = 3"):
        file.write(json.dumps({"prompt": "Numbers: ", "completion": text}) + "\n")
PYTHON
measure() {
    name=$1
    shift
    rm -rf "$folder/$name"
    /usr/bin/time -f "$name: %M kB, %e s" "$retort" distill --quiet --model "$folder/model" \
        --dataset "$folder/examples.jsonl" --max-length 8192 --truncate --train-batch-size 1 --max-steps 1 --seed 3 \
        --micro-batch-tokens 8192 --gradient-checkpointing --save-steps 0 --output-dir "$folder/$name" "$@" >/dev/null
}
measure lora --use-peft --lora-r 16
measure full
