"""llm.c's CPU training at GPT-2's 124M shape: writes a checkpoint of random weights in its format, compiles llmc_step.c
against a checkout, and becomes that program.

    python llmc.py CHECKOUT FOLDER      FOLDER: where the checkpoint and the program go; nothing is written into the checkout
"""
import os
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from make_random_model import Noise  # noqa: E402

MAGIC, VERSION, HEADER = 20240326, 3, 256
POSITIONS, VOCABULARY, PADDED, LAYERS, HEADS, WIDTH = 1024, 50257, 50304, 12, 12, 768
# As its Makefile has them where OpenMP is found.
FLAGS = ["-Ofast", "-Wno-unused-result", "-Wno-ignored-pragmas", "-Wno-unknown-attributes", "-march=native", "-fopenmp",
         "-DOMP"]


def tensors():
    """(is the scale of a norm, numbers) in the order of its ParameterTensors."""
    c, n = WIDTH, LAYERS
    return [(False, PADDED * c), (False, POSITIONS * c), (True, n * c), (False, n * c), (False, n * 3 * c * c),
            (False, n * 3 * c), (False, n * c * c), (False, n * c), (True, n * c), (False, n * c), (False, n * 4 * c * c),
            (False, n * 4 * c), (False, n * 4 * c * c), (False, n * c), (True, c), (False, c)]


def write_checkpoint(path):
    header = [MAGIC, VERSION, POSITIONS, VOCABULARY, LAYERS, HEADS, WIDTH, PADDED]
    noise, partial = Noise("f32"), path.with_suffix(".partial")
    with open(partial, "wb") as file:
        file.write(struct.pack(f"<{HEADER}i", *header, *[0] * (HEADER - len(header))))
        for norm, count in tensors():
            (noise.write_ones if norm else noise.write)(file, count)
    partial.rename(path)


def compiler():
    """Of gcc 12 and clang 14, which its Makefile would take, gcc made the faster program: 9.5 s of processor time for a step
    of 4 x 64 tokens, not 13.7 s."""
    return os.environ.get("CC", "gcc")


def compile_against(checkout, program):
    subprocess.run([*compiler().split(), *FLAGS, f"-I{checkout}", str(HERE / "llmc_step.c"), "-o", str(program), "-lm"],
                   check=True, stdout=sys.stderr)


def main():
    checkout, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    if not (checkout / "train_gpt2.c").is_file():
        sys.exit(f"{checkout} has no train_gpt2.c: it is no checkout of llm.c")
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, program = folder / "gpt2_124M.bin", folder / "llmc_step"
    if not checkpoint.exists():
        write_checkpoint(checkpoint)
    compile_against(checkout, program)
    os.execv(program, [str(program), str(checkpoint)])


main()
