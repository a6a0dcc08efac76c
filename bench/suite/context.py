"""What the rows share: programs, folders, settings, workers."""
import os
import pathlib
import subprocess
import sys

from .worker import Worker

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import make_random_model  # noqa: E402


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

    def model(self, shape, dtype="f32"):
        """The folder of a model of this shape, made when it is first asked for."""
        folder = self.cache / "models" / f"{shape}-{dtype}"
        if not (folder / "model.safetensors").exists():
            self.say(f"  making a random model: {shape}, {dtype}")
        return str(make_random_model.make(folder, self.tokenizer, shape, dtype))

    def gguf(self, shape, dtype):
        file = self.cache / "models" / f"{shape}-{dtype}.gguf"
        if not file.exists():
            subprocess.run([self.retort, "model", "convert", "--quiet", "--in", self.model(shape, dtype), "--out",
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
