"""What the machine is, what it can do, and what else it was doing."""
import os
import platform
import re
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _cpuinfo():
    fields = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
            if not line.strip():
                break
    return fields


def describe(compiler):
    cpu = _cpuinfo()
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {"cpu": cpu.get("model name", platform.processor()), "family": cpu.get("cpu family"),
            "model": cpu.get("model"), "processors": len(os.sched_getaffinity(0)), "memory_bytes": memory,
            "kernel": platform.release().split("-")[0], "compiler": compiler}


def slug(about):
    words = f"{about['cpu']} {about['family']} {about['model']} {about['processors']}cpu"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _busy():
    """Processor seconds of the whole machine that were not idle, stolen ones among them."""
    with open("/proc/stat") as file:
        user, nice, system, idle, wait, irq, soft, steal = (int(x) for x in file.readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / TICKS


class Load:
    """The share of the machine that others had while something was measured."""

    def __init__(self):
        self.wall, self.busy = time.monotonic(), _busy()

    def foreign(self, own_cpu):
        wall = time.monotonic() - self.wall
        if wall < 0.05:  # the kernel counts in hundredths of a second
            return None
        share = (_busy() - self.busy - own_cpu) / (wall * len(os.sched_getaffinity(0)))
        return min(1.0, max(0.0, share))


def idle_share(seconds=1.0):
    """What the others leave of the machine just now. The kernel's load average would still count what this program itself
    did a minute ago."""
    load = Load()
    time.sleep(seconds)
    return 1 - load.foreign(0)


class Probe:
    """Multiply-adds in registers, before and after a sample: has this process the processors to itself?"""

    ENOUGH = 0.85  # of the peak, on the slower thread

    def __init__(self, worker, threads):
        self.worker, self.threads, self.peak = worker, threads, {}
        for n in range(1, threads + 1):
            self.raise_peak(n, 600)

    def raise_peak(self, threads, milliseconds):
        answer = self.worker.ask("peak", threads, milliseconds)
        self.peak[threads] = max(self.peak.get(threads, 0), answer["peak"])
        return answer

    def clean(self, threads):
        """A few tries: just after a sample the kernel may start both threads of the probe on one processor."""
        enough = self.ENOUGH * self.peak[threads] / threads
        return any(self.raise_peak(threads, 12)["slowest"] >= enough for _ in range(4))


def ceilings(probe):
    """Peaks and read bandwidths. The best of many tries: neighbours can only lower them."""
    reads = {}
    for threads in range(1, probe.threads + 1):
        best = 0
        for _ in range(12):
            probe.raise_peak(threads, 60)
            answer = probe.worker.ask("read", threads, 1024)
            # Of one thread the processor time counts where that is less: a neighbour on its core takes none of it.
            taken = min(answer["seconds"], answer["cpu"]) if threads == 1 else answer["seconds"]
            best = max(best, answer["bytes"] / taken)
        reads[threads] = best
    return {"fma_gflops": {str(n): round(p / 1e9, 1) for n, p in probe.peak.items()},
            "read_gbps": {str(n): round(r / 1e9, 2) for n, r in reads.items()}}
