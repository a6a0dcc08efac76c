"""retort template beside transformers' apply_chat_template, byte for byte.

    python compare_templates.py RETORT MODEL_DIR...

Every conversation of conversations.py, with and without a generation prompt. Where transformers refuses (an exception of
the template or of Jinja), retort must fail too, with exit status 2. A MODEL_DIR holds tokenizer_config.json or
chat_template.jinja. Any difference is printed and makes the exit status 1.
"""
import json
import os
import subprocess
import sys
import tempfile

from conversations import conversations
from transformers.utils.chat_template_utils import render_jinja_template


def load(folder):
    config = {}
    path = os.path.join(folder, "tokenizer_config.json")
    if os.path.exists(path):
        config = json.load(open(path, encoding="utf-8"))
    beside = os.path.join(folder, "chat_template.jinja")
    template = open(beside, encoding="utf-8").read() if os.path.exists(beside) else config["chat_template"]
    names = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"]
    values = {n: config[n]["content"] if isinstance(config.get(n), dict) else config.get(n) for n in names}
    return template, {n: v for n, v in values.items() if isinstance(v, str)}


def reference(template, tokens, messages, prompt):
    try:
        text, _ = render_jinja_template([messages], chat_template=template, add_generation_prompt=prompt, **tokens)
        return text[0]
    except Exception as error:  # whatever the template or Jinja raises
        return error


def main():
    retort, *folders = sys.argv[1:]
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        file = os.path.join(scratch, "messages.json")
        for folder in folders:
            template, tokens = load(folder)
            same = refused = 0
            for messages in conversations():
                with open(file, "w", encoding="utf-8") as f:
                    json.dump(messages, f)
                for prompt in (False, True):
                    arguments = [retort, "template", "--model", folder, "--messages", file] + ["--add-generation-prompt"] * prompt
                    ours = subprocess.run(arguments, capture_output=True)
                    theirs = reference(template, tokens, messages, prompt)
                    if isinstance(theirs, Exception):
                        refused += 1
                        equal = ours.returncode == 2
                    else:
                        equal = ours.returncode == 0 and ours.stdout == theirs.encode()
                    same += equal
                    if not equal:
                        bad += 1
                        if bad <= 10:
                            print(f"{folder}: {messages!r:.300} prompt={prompt}\n  ours   {ours.returncode} {ours.stdout!r:.600} "
                                  f"{ours.stderr.decode()}\n  theirs {theirs!r:.600}")
            print(f"{folder}: {same} of {2 * len(conversations())} alike, of which {refused} refused by both", flush=True)
    sys.exit(1 if bad else 0)


main()
