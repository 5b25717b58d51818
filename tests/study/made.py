"""The folder of a study as a sweep leaves it, its numbers from a formula."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.study.results import Results, results
from sim.study.sweep import write_table

SEEDS = (11, 22, 33, 44)


def study(
    folder: Path,
    points: Sequence[Mapping[str, Any]],
    value: Callable[[Mapping[str, Any], str, int], float | None],
    strategies: Sequence[str] = ("none", "gifts"),
    metrics: Sequence[str] = ("margin",),
) -> Results:
    """`value(point, strategy, seed's number)` is every metric there; None is a run that has not been done."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = [(at, name, seed) for at in range(len(points)) for name in strategies for seed in range(len(SEEDS))]
    said = {
        "wxsim": "study",
        "title": "How long?",
        "baseline": strategies[0],
        "metrics": metrics,
        "seeds": SEEDS,
        "points": points,
        "runs": [[*run, "key"] for run in runs],
    }
    (folder / "study.json").write_text(json.dumps(said), "utf-8")
    rows = []
    for at, name, seed in runs:
        found = value(points[at], name, seed)
        status = {"status": "missing" if found is None else "done", **dict.fromkeys(metrics, found)}
        where = {"strategy": name, "replication": seed, "seed": SEEDS[seed]}
        rows.append({"point": at, **points[at], **where, **status})
    write_table(rows, folder, "results")
    return results(folder)
