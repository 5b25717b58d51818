"""Results in every form hold the same numbers."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim.errors import StudyError
from sim.study.results import Results
from tests.study import made

GRID = [{"hours": hours, "chance": chance} for hours in (6, 24, 72) for chance in (0.2, 0.8)]
LIBRARIES = ("pandas", "polars", "xarray")


def value(point: Any, strategy: str, seed: int) -> float:
    return point["hours"] * point["chance"] * (2 if strategy == "gifts" else 1) + 100.0 * seed


@pytest.fixture
def found(tmp_path: Path) -> Results:
    return made.study(tmp_path / "out", GRID, value)


def test_values_and_differences_by_point_and_seed(found: Results) -> None:
    assert (found.axes, found.strategies, found.baseline) == (("hours", "chance"), ("none", "gifts"), "none")
    assert found.values("gifts", "margin")[3, 2] == 24 * 0.8 * 2 + 200
    np.testing.assert_allclose(found.difference("gifts", "margin")[3], [24 * 0.8] * 4)


def test_what_is_missing_is_nan(tmp_path: Path) -> None:
    some = made.study(tmp_path, GRID, lambda point, name, seed: None if seed == 1 else value(point, name, seed))
    assert np.isnan(some.values("gifts", "margin")[:, 1]).all()
    assert np.isfinite(some.values("gifts", "margin")[:, [0, 2, 3]]).all()


def test_tables_of_arrow_and_pandas(found: Results) -> None:
    table = found.to_arrow()
    assert table.num_rows == 6 * 2 * 4
    assert table.column_names == ["point", "hours", "chance", "strategy", "replication", "seed", "status", "margin"]
    frame = found.to_pandas()
    means = frame[frame.strategy == "gifts"].groupby(["hours", "chance"]).margin.mean()
    assert means[24, 0.8] == pytest.approx(24 * 0.8 * 2 + 150)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_that_is_not_there_is_named(found: Results, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(StudyError, match=f"pip install {library}"):
        getattr(found, f"to_{library}")()


@pytest.mark.parametrize("library", [name for name in LIBRARIES if find_spec(name)])
def test_every_library_that_is_there_sums_alike(found: Results, library: str) -> None:
    total = found.values("none", "margin").sum() + found.values("gifts", "margin").sum()
    made_of = getattr(found, f"to_{library}")()
    assert float(made_of["margin"].sum()) == pytest.approx(total)
    if library == "xarray":
        assert made_of.margin.sel(hours=72, chance=0.2, strategy="gifts", seed=33) == 72 * 0.2 * 2 + 200
        assert made_of.margin.dims == ("hours", "chance", "strategy", "seed")


def test_what_is_not_there_is_told(found: Results, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match='did you mean "gifts"'):
        found.values("gift", "margin")
    with pytest.raises(StudyError, match="is not a metric of this study"):
        found.values("gifts", "orders")
    with pytest.raises(StudyError, match="is not the folder of a study"):
        sim.results(tmp_path)
    (found.folder / "results.parquet").unlink()
    with pytest.raises(StudyError, match="has no results yet"):
        sim.results(found.folder)
