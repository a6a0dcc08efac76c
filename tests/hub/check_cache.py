#!/usr/bin/env python3
"""Both programs on one cache: what retort pulls huggingface_hub finds, and the other way round.

    check_cache.py RETORT HUB_SERVER MODEL_FOLDER

Needs the huggingface_hub package; not part of the test suite, which needs no Python. Serves a Hub of our own on the
loopback interface (server.h).
"""
import filecmp
import json
import os
import subprocess
import sys
import tempfile
import time

retort, server, model = sys.argv[1:4]
work = tempfile.mkdtemp()
hub = subprocess.Popen([server, f"{work}/address", f"{work}/log", model], stdin=subprocess.PIPE)
while not os.path.exists(f"{work}/address"):
    time.sleep(0.05)
for name in list(os.environ):
    if name.startswith("HF_") or name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ["HF_ENDPOINT"] = open(f"{work}/address").read().strip()
os.environ["HF_HOME"] = f"{work}/unused"
os.environ["HF_HUB_DISABLE_XET"] = "1"

from huggingface_hub import HfApi, scan_cache_dir, snapshot_download, try_to_load_from_cache  # noqa: E402

checks = 0


def check(truth, what):
    global checks
    checks += 1
    if not truth:
        hub.terminate()
        sys.exit(f"FAILED: {what}")


def pull(*arguments):
    out = subprocess.run([retort, "pull", *arguments, "--json", "--quiet"], capture_output=True, text=True)
    check(out.returncode == 0, f"retort pull {arguments}: {out.stderr}")
    return json.loads(out.stdout)


def forget():
    open(f"{work}/log", "w").close()


def requests():
    return [line for line in open(f"{work}/log") if line.strip()]


# Ours first.
ours, theirs = f"{work}/ours", f"{work}/theirs"
for repo, kind in (("org/base", "model"), ("org/tiny", "model"), ("data/set", "dataset")):
    pulled = pull(repo, "--repo-type", kind, "--cache-dir", ours)
    found = snapshot_download(repo, repo_type=kind, cache_dir=ours, local_files_only=True)
    check(os.path.realpath(found) == os.path.realpath(pulled["path"]), f"snapshot of {repo}")
    for folder, _, names in os.walk(found):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), found)
            there = try_to_load_from_cache(repo, path, cache_dir=ours, repo_type=kind)
            check(there == os.path.join(found, path), f"{path} of {repo}")
forget()
snapshot_download("org/base", cache_dir=ours)
check(not [r for r in requests() if r.startswith("cdn")], "nothing is loaded again")

# Theirs, and the same tree of files, links and bytes (but for its own listing of the repository).
for repo, kind in (("org/base", "model"), ("org/tiny", "model"), ("data/set", "dataset")):
    patterns = None if kind == "dataset" else ["*config.json", "model.safetensors", "tokenizer.json"]
    snapshot_download(repo, repo_type=kind, cache_dir=theirs, allow_patterns=patterns)
    forget()
    pulled = pull(repo, "--repo-type", kind, "--cache-dir", theirs)
    check(pulled["transferred"] == 0, f"{repo} is there: {pulled}")
    check(not [r for r in requests() if "resolve" in r or r.startswith("cdn")], f"{repo} is not asked for")
    check(pull(repo, "--repo-type", kind, "--cache-dir", theirs, "--offline")["path"] == pulled["path"], "offline")
for folder, _, names in os.walk(theirs):
    for name in names:
        one = os.path.join(folder, name)
        path = os.path.relpath(one, theirs)
        if "/trees/" in f"/{path}" or path.endswith(".lock"):
            continue
        other = os.path.join(ours, path)
        check(os.path.lexists(other), f"{path} is missing in ours")
        check(os.path.islink(one) == os.path.islink(other), f"kind of {path}")
        if os.path.islink(one):
            check(os.readlink(one) == os.readlink(other), f"target of {path}")
        check(filecmp.cmp(one, other, shallow=False), f"bytes of {path}")
locks = sorted(os.path.relpath(os.path.join(f, n), theirs) for f, _, ns in os.walk(f"{theirs}/.locks") for n in ns)
for lock in locks:
    check(os.path.lexists(os.path.join(ours, lock)), f"lock {lock}")
report = scan_cache_dir(ours)
check(not report.warnings and len(report.repos) == 3, f"scan of the cache: {report.warnings}")

# One folder of plain files, from either side.
local = f"{work}/local"
pull("org/tiny", "--local-dir", local, "--cache-dir", ours)
forget()
snapshot_download("org/tiny", local_dir=local, cache_dir=f"{work}/none", allow_patterns=["*.json", "*.safetensors"],
                  ignore_patterns=["original/*"])
check(not [r for r in requests() if r.startswith("cdn")], "the plain weights are not loaded again")
forget()
check(pull("org/tiny", "--local-dir", local, "--cache-dir", f"{work}/none")["transferred"] == 0, "plain files stay")

import huggingface_hub  # noqa: E402

hub.stdin.close()
hub.wait()
print(f"{checks} checks passed, huggingface_hub {huggingface_hub.__version__}")
