"""chat.json: examples rendered by chat templates as transformers (5.24) renders and tokenizes them, and which of their
tokens TRL would train on. Run `python generate_chat.py` in this folder.

{"tokenizers": {name: tokenizer.json}, "templates": {name: text}, "cases": [{tokenizer, template, example, assistant_only,
whole, ids, labels}]}. The prompt of a case is apply_chat_template(..., add_generation_prompt=True), its completion what
the whole conversation has behind that (as TRL's prompt-completion data); with assistant_only the mask is the one of the
template's {% generation %} blocks (return_assistant_tokens_mask). What stands behind the last end of turn is left off:
no model generates it.
"""
import json

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<eot>", "<bos>", "<sot>"]
CORPUS = [line.strip() for line in open("../../text/golden/corpus.txt")]


def byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=330, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    return t


def metaspace():
    """Llama 2's way: a space before the text, spaces as U+2581, bytes for what is missing."""
    t = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    t.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                   decoders.Strip(" ", 1, 0)])
    special = ["<unk>"] + SPECIAL + ["<0x%02X>" % i for i in range(256)]
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=480, special_tokens=special))
    data = json.loads(t.to_str())
    data["added_tokens"] = [a for a in data["added_tokens"] if not a["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(data))


TEMPLATES = {
    # ChatML with a default system turn (SmolLM2)
    "chatml": """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<sot>system
be useful<eot>
' }}{% endif %}{{ '<sot>' + message['role'] + '
' }}{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<eot>' }}{% endgeneration %}{{ '
' }}{% else %}{{ message['content'] + '<eot>' + '
' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<sot>assistant
' }}{% endif %}""",
    # BOS, headers, trimmed content (Llama 3)
    "headers": """{% for message in messages %}{% set content = '<sot>' + message['role'] + '

' + message['content'] | trim + '<eot>' %}{% if loop.first %}{{ bos_token }}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<sot>assistant

' }}{% endif %}""",
    # the answer joined to the prompt by a space (Llama 2, Mistral)
    "inst": """{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ ' ' + message['content'] + '<eot>' }}{% endif %}{% endfor %}""",
}
USER = {"role": "user", "content": "Make 24 from 3, 4, 6."}
ANSWER = {"role": "assistant", "content": "First try 4 * 6 = 24, maybe.\nThen we check: \\boxed{24}"}
CONVERSATION = [{"role": "system", "content": "Check it again."}, USER, ANSWER,
                {"role": "user", "content": "Are you sure?  "}, {"role": "assistant", "content": "Yes, 4 * 6 = 24."}]


def ids_of(tokenizer, messages, **settings):
    return tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **settings)


def case(tokenizers, name, template, example, assistant_only=False, whole=False):
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizers[name], bos_token="<bos>", eos_token="<eot>")
    fast.chat_template = TEMPLATES[template]
    end = fast.convert_tokens_to_ids("<eot>")
    if "problem" in example:
        messages = [{"role": "user", "content": example["problem"]}]
        prompt, messages = messages, messages + [{"role": "assistant", "content": example["response"]}]
    elif "prompt" in example:
        prompt, messages = example["prompt"], example["prompt"] + example["completion"]
    else:
        messages = example["messages"]
        prompt = messages[:-1]
    ids, before = ids_of(fast, messages), ids_of(fast, prompt, add_generation_prompt=True)
    assert ids[:len(before)] == before, (template, name)
    if assistant_only:
        mask = fast.apply_chat_template(messages, tokenize=True, return_dict=True,
                                        return_assistant_tokens_mask=True)["assistant_masks"]
        mask = list(mask)
    else:
        mask = [int(whole or i >= len(before)) for i in range(len(ids))]
    last = max(i for i, id in enumerate(ids) if id == end)
    ids, mask = ids[:last + 1], mask[:last + 1]
    return {"tokenizer": name, "template": template, "example": example, "assistant_only": assistant_only,
            "whole": whole, "ids": ids, "labels": [id if m else -100 for id, m in zip(ids, mask)]}


def main():
    tokenizers = {"bytes": byte_level(), "spaces": metaspace()}
    problem = {"problem": USER["content"], "response": ANSWER["content"]}
    cases = []
    for name in tokenizers:
        for template in TEMPLATES:
            cases.append(case(tokenizers, name, template, problem))
            cases.append(case(tokenizers, name, template, {"messages": [USER, ANSWER]}, whole=True))
            if template == "inst":
                continue
            cases.append(case(tokenizers, name, template, {"messages": CONVERSATION}))
            cases.append(case(tokenizers, name, template, {"prompt": CONVERSATION[:4], "completion": CONVERSATION[4:]}))
        cases.append(case(tokenizers, name, "chatml", {"messages": CONVERSATION}, assistant_only=True))
    out = {"tokenizers": {n: json.loads(t.to_str()) for n, t in tokenizers.items()}, "templates": TEMPLATES,
           "cases": cases}
    with open("chat.json", "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


main()
