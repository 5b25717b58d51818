import json
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # `make test` runs it

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def loaded(path: str) -> ModuleType:
    """A script of benchmarks/ as a module, without making it importable for others."""
    spec = spec_from_file_location(f"benchmarks_{Path(path).stem}", BENCHMARKS / path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(rows: list[dict[str, Any]], command: str = "python benchmarks/run.py") -> dict[str, Any]:
    return {"rows": rows, "date": "2026-11-22", "load": [0.1, 0.2], "seconds": 1, "command": command, "machine": "it"}


def race(seconds: float, z: float) -> dict[str, Any]:
    job = {"n": 1_000_000, "p": 0.1, "seeds": 100, "ties": "one"}
    row = {"peer": "cynetdiff", "version": "1", "job": job, "seconds": seconds, "numpy": 0.02, "fast": 0.01}
    return row | {"bytes": 1, "ours bytes": 1, "mean": 200.0, "ours mean": 201.0, "z": z, "exact": True}


def test_a_budget_is_met_or_missed_by_what_was_measured() -> None:
    report = loaded("report.py")
    good = report.budgets({"cascades": part([race(0.13, 0.5)]), "agreement": part([{"z": 0.5}])})
    assert [(what, met) for _, what, met in good] == [("6.5x and 13.0x", "met"), ("1 of 1 means, largest 0.5", "met")]
    slow = report.budgets({"cascades": part([race(0.11, 5.0)]), "agreement": part([{"z": -5.0}])})
    assert [met for *_, met in slow] == ["missed", "missed"]
    (lost,) = report.budgets({"million": part([None])})
    assert lost == ("million: every run ends", "1 of 1 did not", "missed")
    start = {"processor": 0.2, "wall": 0.3}
    assert [met for *_, met in report.budgets({"start_up": part([start])})] == ["met"]
    assert report.budgets({}) == []


def test_the_page_has_a_table_for_each_part_and_the_command_that_made_it(tmp_path: Path) -> None:
    report = loaded("report.py")
    costs = [{"users": 10, "fast": True, "processor": 1.5, "wall": 2.0, "rate": 1e4, "bytes": 300.0}, None]
    page = report.text({"cascades": part([race(0.13, 0.5)]), "two_threads": part(costs, "python x --only two_threads")})
    assert page.index("## Budgets") < page.index("## One cascade") < page.index("## Two threads")
    assert "| cynetdiff 1 | 1,000,000 n, one | 130 | 20 | 10 | 6.5 | 13 | 200 (201) | +0.5 |" in page
    assert "| 10 | True | 1.50 s | 2.00 s | 10,000 | 300 |" in page
    assert "`python x --only two_threads`, 2026-11-22, load 0.1 to 0.2; it." in page
    assert "## Budgets" not in report.text({"start_up": part([{"wall": 9.0, "processor": 9.0}], "x --quick")})
    report.plot({"by_users": part([c | {"fast": True} for c in costs[:1]])}, tmp_path / "cost.png")
    assert (tmp_path / "cost.png").stat().st_size < 100_000


def test_every_part_has_a_title_and_every_environment_is_pinned() -> None:
    names = set(re.findall(r'"(\w+)"', (BENCHMARKS / "run.py").read_text("utf-8")))
    assert set(loaded("report.py").TEXTS["parts"]) <= names
    for file in (BENCHMARKS / "peers" / "requirements").glob("*.txt"):
        lines = file.read_text("utf-8").splitlines()
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
        assert any(line.lower().startswith(file.stem + "==") for line in lines)


def test_the_graph_of_the_peers_is_barabasi_and_albert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = loaded("peers/compare.py")
    monkeypatch.setattr(compare, "WORK", tmp_path)
    n = 20_000
    file = np.load(compare.barabasi_albert(n))
    degree, indices = np.diff(file["indptr"]), file["indices"]
    row = np.arange(n).repeat(degree)
    assert (row != indices).all()
    assert set(zip(row.tolist(), indices.tolist(), strict=True)) == set(
        zip(indices.tolist(), row.tolist(), strict=True)
    )
    assert 19.5 < degree.mean() < 20
    # theory: the share of nodes with at least k ties is m (m + 1) / (k (k + 1)), here with m = 10
    for k in (20, 40, 80):
        expected = 110 / (k * (k + 1))
        assert abs((degree >= k).mean() - expected) < 4 * np.sqrt(expected / n) + 0.05 * expected


@pytest.mark.full
def test_quick_benchmarks_run_from_end_to_end() -> None:
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--quick", "--only", "start_up", "building", "by_users"]
    subprocess.run(command, check=True, capture_output=True)
    results = json.loads((BENCHMARKS / ".work" / "results.json").read_text("utf-8"))
    for name in ("start_up", "building", "by_users"):
        assert all(row["processor"] > 0 for row in results[name]["rows"])
    page = (BENCHMARKS / ".work" / "RESULTS.md").read_text("utf-8")
    assert "## The whole model, by users" in page
