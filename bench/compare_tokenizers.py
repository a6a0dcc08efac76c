"""retort's tokenizer beside the tokenizers package: every id, every decoded byte, and speed, in one run.

    python compare_tokenizers.py BENCH_TOKENIZER DOCUMENTS MODEL_DIR...

DOCUMENTS as make_corpus.py writes them. Both encode all documents in one thread (the package with its fastest call,
encode_batch_fast, in batches of 64), decode the ids again, and decode random ids. Any difference is printed and makes
the exit status 1. Only encoding and decoding are timed, in processor time, so that other work on the machine does not count.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402


def run(bench, *arguments):
    return json.loads(subprocess.run([bench, *arguments], check=True, capture_output=True, text=True).stdout)


def split_ids(path):
    data = np.fromfile(path, dtype=np.int32)
    at, out = 0, []
    while at < len(data):
        n = int(data[at])
        out.append(data[at + 1:at + 1 + n])
        at += 1 + n
    return out


def show(text, ours, theirs, tokenizer):
    for k in range(max(len(ours), len(theirs))):
        a, b = (list(x[k:k + 4]) for x in (ours, theirs))
        if a[:1] != b[:1]:
            where = tokenizer.decode([int(i) for i in theirs[max(0, k - 8):k]])
            print(f"  at token {k}, after {where!r}: ours {a} theirs {b}", [tokenizer.id_to_token(int(i)) for i in a],
                  [tokenizer.id_to_token(int(i)) for i in b])
            return


def random_ids(tokenizer, folder):
    rng = random.Random(7)
    size = tokenizer.get_vocab_size()
    rows = [[rng.randrange(size) if rng.random() < 0.3 else rng.randrange(min(size, 600)) for _ in range(rng.randint(0, 60))]
            for _ in range(20_000)]
    path = os.path.join(folder, "random_ids")
    with open(path, "wb") as f:
        for row in rows:
            np.array([len(row)] + row, dtype=np.int32).tofile(f)
    return rows, path


def compare(bench, documents, model):
    tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = [d.decode() for d in open(documents, "rb").read().split(b"\0")[:-1]]
    size = sum(len(t.encode()) for t in texts)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        ids_path, texts_path = os.path.join(folder, "ids"), os.path.join(folder, "texts")
        figures = run(bench, model, documents, ids_path, texts_path)
        ours = split_ids(ids_path)
        decoded = open(texts_path, "rb").read().split(b"\0")[:-1]
        assert len(ours) == len(texts) == len(decoded), (len(ours), len(texts), len(decoded))
        encode = decode = 0.0
        for i in range(0, len(texts), 64):
            start = time.process_time()
            batch = tokenizer.encode_batch_fast(texts[i:i + 64])
            encode += time.process_time() - start
            for k, encoding in enumerate(batch):
                theirs = encoding.ids
                if len(theirs) != len(ours[i + k]) or not np.array_equal(ours[i + k], theirs):
                    bad += 1
                    if bad <= 10:
                        print(f"{model}: document {i + k} has other ids")
                        show(texts[i + k], ours[i + k], theirs, tokenizer)
                start = time.process_time()
                back = tokenizer.decode(theirs)
                decode += time.process_time() - start
                if back.replace("\0", "").encode() != decoded[i + k].replace(b"\0", b""):
                    bad += 1
                    if bad <= 10:
                        print(f"{model}: document {i + k} decodes to another text")
        rows, path = random_ids(tokenizer, folder)
        run(bench, model, documents, "ids:" + path, texts_path)
        decoded = open(texts_path, "rb").read().split(b"\0")
        theirs = [tokenizer.decode(row).encode() for row in rows]
        if any(b"\0" in t for t in theirs):  # NUL is the separator: compare all in one
            different = b"\0".join(theirs) + b"\0" != open(texts_path, "rb").read()
        else:
            different = sum(a != b for a, b in zip(decoded, theirs))
        if different:
            bad += 1
            print(f"{model}: random ids decode differently: {different}")
    mb = size / 1e6
    print(f"{model}: {mb:.1f} MB, {figures['tokens']} tokens, {bad} differences; encode {mb / figures['encode_seconds']:.1f} MB/s "
          f"(tokenizers {mb / encode:.1f}), decode {mb / max(figures['decode_seconds'], 1e-9):.1f} MB/s "
          f"(tokenizers {mb / decode:.1f}), load {figures['load_seconds']:.2f} s", flush=True)
    return bad


def main():
    bench, documents, *models = sys.argv[1:]
    total = sum(compare(bench, documents, model) for model in models)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
