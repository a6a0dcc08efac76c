"""The peers' side of bench/suite/worker.py: commands in, lines of JSON out."""
import json
import os
import sys
import time


def tell(**answer):
    print(json.dumps(answer), flush=True)


def timed(run):
    """seconds and cpu of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def serve(commands, **about):
    """commands: name -> function of the words behind it, returning the answer's members."""
    tell(pid=os.getpid(), **about)
    for line in sys.stdin:
        words = line.split()
        if words:
            try:
                tell(**commands[words[0]](*words[1:]))
            except Exception as error:  # noqa: BLE001: whatever a peer raises is the answer
                tell(error=f"{type(error).__name__}: {error}")
