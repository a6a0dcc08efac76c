"""Conversations for comparing chat templates: the shapes that templates treat differently, in English and otherwise.
Deterministic; used by compare_templates.py and tests/text/golden/generate_templates.py."""
import itertools

TEXTS = ["Hello", "  two spaces around  ", "line one\nline two\n", "", "数学 \u00e9\U0001f44d \u0939\u093f", "<|im_end|> {{ not }} {% a tag %}",
         "It's \"quoted\" \\ and\ttabbed", "\n\nleading", "x" * 300, "a<think>b</think>c"]
THOUGHTS = ["<think>\nLet me see: 3 + 4 = 7.\n</think>\n\nThe answer is 7.", "<think>\n\n</think>\n\nNo thought.", "no think</think> only the end",
            "<think>never ended", "<think>a</think>b<think>c</think>d", "  <think>\n x \n</think>  spaced  "]


def conversations():
    """At least 64 lists of messages."""
    out = []

    def say(role, text):
        return {"role": role, "content": text}

    for text in TEXTS:
        out.append([say("user", text)])
        out.append([say("system", text), say("user", "Hi")])
        out.append([say("user", "Hi"), say("assistant", text)])
        out.append([say("user", text), say("assistant", text), say("user", text)])
    for thought in THOUGHTS:
        out.append([say("user", "3 + 4?"), say("assistant", thought)])
        out.append([say("user", "3 + 4?"), say("assistant", thought), say("user", "Sure?"), say("assistant", thought)])
        out.append([say("system", "Be brief."), say("user", "3 + 4?"), say("assistant", thought), say("user", "Sure?")])
    for thought, content in itertools.product(["I think.", "\n a \n", ""], ["Answer.", "\nAnswer\n"]):
        out.append([say("user", "Q"), {"role": "assistant", "content": content, "reasoning_content": thought}])
        out.append([say("user", "Q"), {"role": "assistant", "content": content, "reasoning_content": thought}, say("user", "R")])
    long = []
    for i in range(12):
        long += [say("user", f"question {i}"), say("assistant", f"answer {i}")]
    out += [long, long[:-1], [say("system", "S")] + long, [say("assistant", "first")], [say("system", "only system")],
            [say("user", "a"), say("user", "b")], [say("assistant", "a"), say("assistant", "b")],
            [say("user", "a"), say("system", "late"), say("user", "b")], [say("system", "a"), say("system", "b"), say("user", "c")],
            [say("tool", "result"), say("user", "x")], [say("narrator", "unknown role")], []]
    return out
