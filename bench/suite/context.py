"""What the rows share: programs, folders, settings, workers."""
import importlib.util
import os
import pathlib
import subprocess
import sys

from .worker import Worker, WorkerError

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import make_random_model  # noqa: E402


class Missing(Exception):
    """A row that cannot be measured without what this machine does not have."""


# PyTorch takes its memory from the system and gives it back in small pages otherwise, and its steps are a tenth slower.
TUNED = {"MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_MMAP_THRESHOLD_": "100000000000",
         "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class Context:
    def __init__(self, build, cache, runs, patience, threads, small, log):
        self.build, self.cache, self.runs, self.patience = pathlib.Path(build), pathlib.Path(cache), runs, patience
        self.threads, self.small, self.log = threads, small, log
        self.processors = len(os.sched_getaffinity(0))
        self.probe = self.ceilings = None
        self.retort = str(self.build / "src/cli/retort")
        self.tokenizer = str(ROOT / "assets/countdown-base")

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def ours(self):
        return Worker([str(self.build / "bench/bench_worker")], log=self.log)

    def peer(self, program, *words, **env):
        env = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", **env}
        return Worker([sys.executable, str(ROOT / "bench/peers" / program), *(str(w) for w in words)], env=env,
                      log=self.log)

    def has(self, module):
        spec = importlib.util.find_spec(module)
        return spec is not None and spec.origin is not None  # a folder that only has the name is no package

    def needs(self, *modules):
        for module in modules:
            if not self.has(module):
                raise Missing(f"{sys.executable} has no module '{module}'")

    def found(self, name, module):
        """A peer that is not there costs its own column only."""
        if not self.has(module):
            self.say(f"  {name} is left out: {sys.executable} has no module '{module}'")
        return self.has(module)

    def start(self, stack, name, module, start):
        """The peer that start() makes, or None. module: what Python must have for it, or None."""
        try:
            return stack.enter_context(start()) if module is None or self.found(name, module) else None
        except (WorkerError, subprocess.CalledProcessError) as error:
            self.say(f"  {name} is left out: {error}")
            return None

    def torch_model(self, shape, mode):
        """A worker of transformers and PyTorch: eager is what a user gets who sets nothing."""
        return self.peer("torch_model.py", self.model(shape), mode, **({} if mode == "eager" else TUNED))

    def llmc(self, stack):
        """llm.c has no package: whoever has a checkout says where."""
        checkout = os.environ.get("RETORT_BENCH_LLMC")
        if not checkout:
            self.say("  llm.c is left out: RETORT_BENCH_LLMC names no checkout of it")
            return None
        return self.start(stack, "llm.c", None, lambda: self.peer("llmc.py", checkout, self.cache / "llmc"))

    def model(self, shape, dtype="f32"):
        """The folder of a model of this shape, made when it is first asked for."""
        folder = self.cache / "models" / f"{shape}-{dtype}"
        if not (folder / "model.safetensors").exists():
            self.say(f"  making a random model: {shape}, {dtype}")
        return str(make_random_model.make(folder, self.tokenizer, shape, dtype))

    def gguf(self, shape, dtype):
        file = self.cache / "models" / f"{shape}-{dtype}.gguf"
        source = "bf16" if dtype == "q8_0" else dtype
        if not file.exists():
            subprocess.run([self.retort, "model", "convert", "--quiet", "--in", self.model(shape, source), "--out",
                            str(file), "--dtype", dtype], check=True, stdout=subprocess.DEVNULL)
        return str(file)

    def library_path(self):
        """Where those find the libraries that they need themselves."""
        return ":".join(str(folder) for folder in (self.cache / "debian").glob("usr/lib/*-linux-gnu"))

    def libraries(self):
        """Debian's BLAS libraries that bench.sh unpacked: name -> file."""
        found = {}
        names = {"OpenBLAS 0.3.21": "openblas-openmp/libopenblas.so.0", "BLIS 0.9": "blis-openmp/libblis.so.4",
                 "oneDNN 2.6": "libdnnl.so.2"}
        for name, end in names.items():
            for file in sorted((self.cache / "debian").glob(f"usr/lib/*/{end}")):
                found[name] = str(file)
        return found


def environment():
    kept = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OMP_WAIT_POLICY")}
    return {**kept, "OMP_WAIT_POLICY": "passive"} if Worker.passive else kept
