"""A process that does one peer's work when told to, and says what it took. Runs in the peer's own environment."""

import json
import os
import sys
from pathlib import Path
from time import perf_counter, process_time


def serve(prepares):
    """Do the work that the command line names, first on the small job given as `warm`, then once for each seed.

    Work may return a function; then only what that does is timed, and the rest was setting up.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a peer prints goes where it disturbs nobody
    prepare, job = prepares[sys.argv[1]], json.loads(sys.stdin.readline())
    _timed(prepare({**job, **job.pop("warm")}), 1)
    before = _peak()
    act = prepare(job)
    for line in sys.stdin:
        print(json.dumps({**_timed(act, int(line)), "bytes": _peak() - before}), file=answers)


def _timed(act, seed):
    wall, processor = perf_counter(), process_time()
    result = act(seed)
    if callable(result):
        wall, processor = perf_counter(), process_time()
        result = result()
    return {"result": float(result), "processor": process_time() - processor, "wall": perf_counter() - wall}


def _peak():
    """The most memory held so far, in bytes; what getrusage says begins with the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
