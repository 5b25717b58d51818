"""A process that does one peer's work when told to, and says what it took. Runs in the peer's own environment."""

import json
import os
import resource
import sys
from time import perf_counter, process_time


def serve(prepares):
    """Prepare the work named on the command line for the job of the first line, then do it once for each seed."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a peer prints goes where it disturbs nobody
    peak = _peak()
    act = prepares[sys.argv[1]](json.loads(sys.stdin.readline()))
    print(json.dumps({"bytes": _peak() - peak}), file=answers)
    for line in sys.stdin:
        wall, processor = perf_counter(), process_time()
        result = act(int(line))
        took = {"processor": process_time() - processor, "wall": perf_counter() - wall}
        print(json.dumps({"result": float(result), **took}), file=answers)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
