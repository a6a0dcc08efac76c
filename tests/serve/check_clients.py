"""The official openai client and lm-evaluation-harness against a running `retort serve` (a peer check, not part of check.sh).

    pip install openai 'lm-eval[api]'
    retort serve --model DIR --port 8080 &
    python tests/serve/check_clients.py http://127.0.0.1:8080 [DIR]

With DIR (a Hugging Face directory) the harness's log-likelihoods are compared with transformers' on the same model.
Ends with "N checks passed" and 0, or with the first check that failed.
"""
import json
import sys
import tempfile
from pathlib import Path

import openai

base = sys.argv[1]
model_dir = sys.argv[2] if len(sys.argv) > 2 else None
client = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0)
passed = 0


def check(what, condition):
    global passed
    if not condition:
        sys.exit(f"FAILED: {what}")
    passed += 1


model = client.models.list().data[0].id
ask = {"model": model, "messages": [{"role": "user", "content": "Use the numbers 3, 5, 7 to make 15."}], "max_tokens": 24}

# ---- chat ----
one = client.chat.completions.create(**ask, seed=7, n=2, logprobs=True, top_logprobs=3)
check("two choices", [c.index for c in one.choices] == [0, 1])
check("usage adds up", one.usage.total_tokens == one.usage.prompt_tokens + one.usage.completion_tokens)
content = one.choices[0].logprobs.content
check("a logprob for each token, with candidates", all(len(t.top_logprobs) == 3 and t.logprob <= 0 for t in content))
check("tokens spell the text", b"".join(bytes(t.bytes) for t in content).decode(errors="replace") == one.choices[0].message.content)
again = client.chat.completions.create(**ask, seed=7, n=2)
check("a seed repeats", [c.message.content for c in again.choices] == [c.message.content for c in one.choices])
stream = client.chat.completions.create(**ask, seed=7, stream=True, stream_options={"include_usage": True})
text, usage, reason = "", None, None
for chunk in stream:
    usage = chunk.usage or usage
    for choice in chunk.choices:
        text += choice.delta.content or ""
        reason = choice.finish_reason or reason
check("a stream is the answer", text == one.choices[0].message.content and reason == one.choices[0].finish_reason)
check("a stream's usage", usage.completion_tokens > 0)
stopped = client.chat.completions.create(**ask, seed=7, stop=["e"])
check("a stop string is not shown", "e" not in stopped.choices[0].message.content)

# ---- completions ----
greedy = client.completions.create(model=model, prompt=["1, 2, 3,", "a b"], max_tokens=5, temperature=0, echo=True, logprobs=2)
for choice in greedy.choices:
    lists = choice.logprobs
    check("lists of one length", len(lists.tokens) == len(lists.token_logprobs) == len(lists.top_logprobs) == len(lists.text_offset))
    check("offsets", all(choice.text[o:].startswith(t) for t, o in zip(lists.tokens, lists.text_offset) if not t.startswith("bytes:")))
    check("greedy is the most probable", all(abs(max(top.values()) - lp) < 1e-12 for top, lp in list(zip(lists.top_logprobs, lists.token_logprobs))[-5:]))
banned = greedy.choices[0].logprobs.tokens[-5]
ids = client.post("/../tokenize", body={"content": banned}, cast_to=object)["tokens"]
if len(ids) == 1:
    other = client.completions.create(model=model, prompt="1, 2, 3,", max_tokens=1, temperature=0, logit_bias={str(ids[0]): -100})
    check("logit_bias bans", other.choices[0].text != banned)

# ---- errors, as the client tells them apart ----
for call, kind in [
    (lambda: client.chat.completions.create(**{**ask, "model": "other"}), openai.NotFoundError),
    (lambda: client.chat.completions.create(**ask, temperature=9), openai.BadRequestError),
    (lambda: client.completions.create(model=model, prompt="x", max_tokens=10**7), openai.BadRequestError),
]:
    try:
        call()
        check(f"{kind.__name__} was expected", False)
    except kind as error:
        check("the error has a message", len(error.message) > 10)

# ---- lm-evaluation-harness: loglikelihood (multiple choice) and generate_until on local files ----
import lm_eval  # noqa: E402
from lm_eval.models.openai_completions import LocalCompletionsAPI  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    rows = [{"q": f"Count: {i}, {i + 1},", "choices": [f" {i + 2}", f" {i + 7}"], "answer": 0, "text": str(i + 2)} for i in range(3, 13)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    common = f"dataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {folder / 'rows.jsonl'}\ntest_split: test\ntarget_delimiter: ''\ndoc_to_text: '{{{{q}}}}'\n"
    (folder / "choice.yaml").write_text("task: count_choice\noutput_type: multiple_choice\n" + common +
                                        "doc_to_choice: '{{choices}}'\ndoc_to_target: answer\nmetric_list:\n  - metric: acc\n")
    (folder / "gen.yaml").write_text("task: count_gen\noutput_type: generate_until\n" + common +
                                     "doc_to_target: '{{text}}'\ngeneration_kwargs:\n  until: [',']\n  max_gen_toks: 6\nmetric_list:\n  - metric: exact_match\n")
    settings = {"model": model, "base_url": base + "/v1/completions", "num_concurrent": 4, "max_retries": 1}
    if model_dir:
        settings |= {"tokenizer": model_dir, "tokenizer_backend": "huggingface"}
    else:
        settings |= {"tokenizer_backend": None}
    harness = LocalCompletionsAPI(**settings)
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    tasks = ["count_choice", "count_gen"] if model_dir else ["count_gen"]
    result = lm_eval.simple_evaluate(harness, tasks=tasks, task_manager=manager, log_samples=True, bootstrap_iters=0)
    check("all were generated", len(result["samples"]["count_gen"]) == len(rows))
    if model_dir:
        import torch

        torch.set_num_threads(1)
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(model_dir)
        reference = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32).eval()
        worst = 0.0
        for sample, row in zip(sorted(result["samples"]["count_choice"], key=lambda s: s["doc_id"]), rows):
            for choice, response in zip(row["choices"], sample["filtered_resps"]):
                context, whole = tokenizer(row["q"]).input_ids, tokenizer(row["q"] + choice).input_ids
                with torch.no_grad():
                    logp = reference(torch.tensor([whole])).logits[0].log_softmax(-1)
                expected = sum(logp[i - 1, whole[i]].item() for i in range(len(context), len(whole)))
                worst = max(worst, abs(expected - response[0]) / max(1.0, abs(expected)))
        print(f"log-likelihoods: largest relative difference to transformers {worst:.2e}")
        check("log-likelihoods are transformers'", worst < 1e-4)
print(f"{passed} checks passed")
