"""A process that measures on command: bench_worker, or a program of bench/peers with the same protocol.

One line of words in, one line of JSON out ("seconds", "cpu", or "error"); the first line out says what it is.
"""
import json
import os
import subprocess


class WorkerError(Exception):
    """A worker that could not do what it was asked, with its own words."""


class Worker:
    passive = False  # waiting threads sleep instead of spinning: on a loaded machine spinning would count as work

    def __init__(self, command, env=None, cwd=None, log=None):
        merged = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OMP_WAIT_POLICY")}
        merged.update(env or {})
        if Worker.passive:
            merged["OMP_WAIT_POLICY"] = "passive"
        self.name, self.log = os.path.basename(next((w for w in command if w.endswith(".py")), command[0])), log
        self.process = subprocess.Popen(command, env=merged, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=log, text=True)
        self.about = self._answer()

    def _answer(self):
        while True:
            line = self.process.stdout.readline()
            if line == "":
                raise self._ended()
            if line.startswith("{"):  # peers print other things too
                answer = json.loads(line)
                if "error" in answer:
                    raise WorkerError(f"{self.name}: {answer['error']}")
                return answer

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error
        return self._answer()

    def _ended(self):
        """With the last line that it wrote to its log, which says why."""
        text = f"{self.name} ended with status {self.process.wait()}"
        if self.log is None:
            return WorkerError(text)
        with open(self.log.name, errors="replace") as file:
            lines = file.read()[-4000:].strip().splitlines()
        return WorkerError(f"{text}: {lines[-1]}" if lines else text)

    def peak_bytes(self):
        """The largest resident set so far, from the operating system."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        raise WorkerError(f"{self.name}: no VmHWM in /proc")

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
