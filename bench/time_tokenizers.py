"""Speed of retort's tokenizer and of the tokenizers package, in interleaved rounds in one thread.

    python time_tokenizers.py BENCH_TOKENIZER DOCUMENTS ROUNDS MODEL_DIR... [--json]

DOCUMENTS as make_corpus.py writes them. Every round encodes and decodes all documents with one and then with the other, so
that both see the same machine; only processor time counts. Printed are the medians, in millions of bytes of text a second, and
the smallest and largest quotient of a round.
"""
import json
import os
import statistics
import sys
import tempfile
import time

from compare_tokenizers import run  # one thread: it sets the environment before the package is loaded
from tokenizers import Tokenizer


def ours(bench, model, documents, folder):
    figures = run(bench, model, documents, os.path.join(folder, "ids"), os.path.join(folder, "texts"))
    return figures["encode_seconds"], figures["decode_seconds"]


def theirs(tokenizer, texts):
    encode = decode = 0.0
    for i in range(0, len(texts), 64):
        start = time.process_time()
        batch = tokenizer.encode_batch_fast(texts[i:i + 64])
        encode += time.process_time() - start
        for encoding in batch:
            ids = encoding.ids
            start = time.process_time()
            tokenizer.decode(ids)
            decode += time.process_time() - start
    return encode, decode


def main():
    as_json = "--json" in sys.argv
    bench, documents, rounds, *models = (a for a in sys.argv[1:] if a != "--json")
    texts = [d.decode() for d in open(documents, "rb").read().split(b"\0")[:-1]]
    mb = sum(len(t.encode()) for t in texts) / 1e6
    for model in models:
        tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        pairs = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(int(rounds)):
                pairs.append((ours(bench, model, documents, folder), theirs(tokenizer, texts)))
        for k, what in enumerate(("encode", "decode")):
            if as_json:  # seconds of each round, ours and theirs
                print(json.dumps({"model": model, "what": what, "pairs": [(p[0][k], p[1][k]) for p in pairs]}), flush=True)
                continue
            a, b = (statistics.median(mb / p[side][k] for p in pairs) for side in (0, 1))
            quotients = [p[1][k] / p[0][k] for p in pairs]
            print(f"{model}: {what} {a:.1f} MB/s, tokenizers {b:.1f} MB/s, {min(quotients):.1f} to {max(quotients):.1f} times",
                  flush=True)


main()
