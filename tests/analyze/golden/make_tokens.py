"""Counts for tests/analyze/test_token_files.c by Python's re: python3 make_tokens.py FOLDER_OF_RESPONSES > tokens.json"""
import glob, json, os, re, sys

WORDS = ["wait", "maybe", "alternatively", "hmm", "perhaps", "however"]
rows = {}
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.jsonl"))):
    for line in open(path, encoding="utf-8"):
        item = json.loads(line)
        words = [w.lower() for w in re.findall(r"[A-Za-z']+", item["response"])]
        row = rows.setdefault((os.path.basename(path), item["model"]), [0, 0] + [0] * len(WORDS))
        row[0] += 1
        row[1] += len(words)
        for i, word in enumerate(WORDS):
            row[2 + i] += words.count(word)
keys = ["responses", "words"] + WORDS
print("[")
print(",\n".join(json.dumps({"file": f, "model": m, **dict(zip(keys, row))}) for (f, m), row in sorted(rows.items())))
print("]")
