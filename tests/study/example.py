"""A comparison made by hand: three strategies in four worlds."""

from pathlib import Path
from typing import Any

import numpy as np

from sim.metrics.catalog import METRICS
from sim.study.comparison import Comparison, Failure

METRIC = next(name for name, metric in METRICS.items() if metric.higher_is_better)
OTHER = next(name for name, metric in METRICS.items() if metric.higher_is_better is False)
BASE, BETTER, LAME = "store only", "store + mini-program", "全渠道 with everything"
SEEDS = (11, 22, 33, 44)


def comparison(folder: Path = Path("nowhere"), **changes: Any) -> Comparison:
    """BETTER gains 10, 11, 9 and 10 of METRIC; LAME lost a run, and has no OTHER in one world."""
    base = np.array([[100.0, 200.0, 300.0, 400.0], [1.0, 2.0, 3.0, 4.0]])
    values = {
        BASE: base,
        BETTER: base + np.array([[10.0, 11.0, 9.0, 10.0], [0.0, 0.0, 0.0, 0.0]]),
        LAME: base + np.array([[-5.0, 7.0, 0.0, np.nan], [np.nan, 1.0, 1.0, np.nan]]),
    }
    done = {name: np.ones(4, np.bool_) for name in values}
    done[LAME] = np.array([True, True, True, False])
    given: dict[str, Any] = {
        "title": "Which one?",
        "baseline": BASE,
        "merchant": "tea_house",
        "metrics": (METRIC, OTHER),
        "seeds": SEEDS,
        "values": values,
        "done": done,
        "digests": {name: tuple("abcd") for name in values},
        "failures": (Failure(LAME, 3, 44, "ContractError: broke"),),
        "folder": folder,
    }
    return Comparison(**(given | changes))
