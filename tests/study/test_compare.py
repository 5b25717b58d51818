import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.config.model import Scenario
from sim.errors import ScenarioError, StudyError
from sim.run import run
from sim.study import compare as study
from sim.study.compare import ComparisonInterrupted, compare, replication_seeds
from sim.study.comparison import Comparison
from tests.study.tiny import DAYS, REPLICATIONS, STRATEGIES, write

pytestmark = pytest.mark.slow  # `make test` runs it


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(write(tmp_path_factory.mktemp("scenario")))


@pytest.fixture(scope="module")
def whole(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare(scenario, workers=1, out=tmp_path_factory.mktemp("whole") / "out")


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the picture out where nothing is asked of it: it takes as long as the runs."""
    monkeypatch.setattr(study, "draw", lambda comparison, path: None)


# ----------------------------------------------------------------------------------------------- seeds


@given(st.integers(0, 2**63 - 1), st.integers(1, 50), st.integers(1, 50))
def test_seeds_are_positive_distinct_and_do_not_depend_on_how_many(seed: int, few: int, more: int) -> None:
    found = replication_seeds(seed, few + more)
    assert replication_seeds(seed, few) == found[:few]
    assert len(set(found)) == few + more
    assert all(0 <= each < 2**63 for each in found)


def test_neighbouring_scenarios_share_no_seed() -> None:
    assert not set(replication_seeds(1, 100)) & set(replication_seeds(2, 100))


def test_no_replication_is_refused() -> None:
    with pytest.raises(StudyError, match="0 replications"):
        replication_seeds(1, 0)


# ------------------------------------------------------------------------------------------------------ whole runs


def test_every_strategy_is_measured_in_every_world(whole: Comparison, scenario: Scenario) -> None:
    assert whole.strategies == STRATEGIES
    assert whole.complete
    assert whole.seeds == replication_seeds(scenario.seed, REPLICATIONS)
    assert all(values.shape == (2, REPLICATIONS) and np.isfinite(values).all() for values in whole.values.values())
    assert whole.per_seed("store only", "orders").sum() > 0


def test_equal_strategies_are_the_same_and_different_ones_are_not(whole: Comparison) -> None:
    assert whole.difference("again", "orders").verdict == "same"
    assert whole.digests["again"] == whole.digests["store only"]
    assert whole.digests["cheaper"] != whole.digests["store only"]


def test_each_run_is_the_one_its_seed_gives_alone(whole: Comparison, scenario: Scenario, tmp_path: Path) -> None:
    alone = [
        run(scenario.strategy("cheaper"), (seed,), (tmp_path / str(seed),))[0].manifest["digest"]["total"]
        for seed in whole.seeds
    ]
    assert list(whole.digests["cheaper"]) == alone


@pytest.mark.slow
def test_two_workers_write_the_same_files(whole: Comparison, scenario: Scenario, tmp_path: Path) -> None:
    compare(scenario, workers=2, out=tmp_path / "out")
    for name in ("comparison.json", "table.txt", "differences.png"):
        assert (tmp_path / "out" / name).read_bytes() == (whole.folder / name).read_bytes()


@pytest.mark.usefixtures("no_picture")
def test_fewer_replications_are_the_first_of_more(whole: Comparison, scenario: Scenario, tmp_path: Path) -> None:
    two = compare(scenario, replications=2, workers=1, out=tmp_path / "out")
    assert two.digests["cheaper"] == whole.digests["cheaper"][:2]
    assert two.per_seed("cheaper", "orders").tolist() == whole.per_seed("cheaper", "orders")[:2].tolist()


def test_files_are_where_it_says(whole: Comparison) -> None:
    assert json.loads((whole.folder / "comparison.json").read_text("utf-8")) == whole.as_dict()
    ledgers = sorted(path.parent.relative_to(whole.folder / "runs") for path in whole.folder.rglob("run.json"))
    assert [str(path) for path in ledgers] == [
        f"{strategy}/seed-{k}" for strategy in ("again", "cheaper", "store-only") for k in range(REPLICATIONS)
    ]
    assert [path.name for path in whole.folder.parent.iterdir()] == ["out"]  # nothing is left beside it


@pytest.mark.usefixtures("no_picture")
def test_progress_rises_to_the_whole(scenario: Scenario, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    compare(scenario, workers=1, out=tmp_path / "out", progress=lambda done, all_: told.append((done, all_)))
    assert {all_ for _, all_ in told} == {len(STRATEGIES) * REPLICATIONS * DAYS}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_a_file_is_loaded_and_its_metrics_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean"):
        compare(write(tmp_path, "[orders, net_gmv]", "[orders, net_gmw]"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("update", "said"), [({"compare": None}, "nothing to compare"), ({"strategies": {}}, "nothing")]
)
def test_nothing_to_compare_is_told(scenario: Scenario, tmp_path: Path, update: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        compare(scenario.model_copy(update=update), out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_folder_is_refused_before_anything_runs(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.txt").touch()
    ran: list[int] = []
    monkeypatch.setattr(study, "run", lambda *args, **kwargs: ran.append(1))
    with pytest.raises(StudyError, match="choose another folder"):
        compare(scenario, workers=1, out=tmp_path)
    assert ran == []


# ---------------------------------------------------------------------------------------- failures and interrupts


def broken_for(bad: int, strategy: str) -> Any:
    """`run`, but for one strategy it fails in one world."""

    def attempt(scenario: Scenario, seeds: Any, out: Any, **options: Any) -> Any:
        if bad in seeds and options["strategy"] == strategy:
            raise ZeroDivisionError("no such\nluck")
        return run(scenario, seeds, out, **options)

    return attempt


@pytest.mark.usefixtures("no_picture")
def test_a_run_that_fails_is_a_row_and_the_others_go_on(
    whole: Comparison, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "run", broken_for(whole.seeds[1], "cheaper"))
    found = compare(scenario, workers=1, out=tmp_path / "out")
    (failure,) = found.failures
    assert (failure.strategy, failure.replication, failure.seed) == ("cheaper", 1, whole.seeds[1])
    assert failure.error == "ZeroDivisionError: no such luck"
    assert found.done["cheaper"].tolist() == [True, False, True]
    assert found.digests["cheaper"] == (whole.digests["cheaper"][0], None, whole.digests["cheaper"][2])
    assert found.digests["store only"] == whole.digests["store only"]
    assert not (tmp_path / "out" / "runs" / "cheaper" / "seed-1").exists()


@pytest.mark.usefixtures("no_picture")
def test_a_metric_that_fails_fails_its_run_only(
    whole: Comparison, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = study.metrics.table

    def attempt(ledger: Any, names: Any, merchant: Any) -> Any:
        if ledger.manifest["seed"] == whole.seeds[0] and ledger.manifest["strategy"] == "again":
            raise StudyError("cannot be measured")
        return table(ledger, names, merchant)

    monkeypatch.setattr(study.metrics, "table", attempt)
    found = compare(scenario, workers=1, out=tmp_path / "out")
    assert [(failure.strategy, failure.replication, failure.error) for failure in found.failures] == [
        ("again", 0, "cannot be measured")
    ]
    assert found.difference("again", "orders").verdict == "same"  # in the worlds that are left


def interrupted_at(strategy: str) -> Any:
    """`run`, with Ctrl-C pressed when it comes to a strategy."""

    def attempt(scenario: Scenario, seeds: Any, out: Any, **options: Any) -> Any:
        if options["strategy"] == strategy:
            raise KeyboardInterrupt
        return run(scenario, seeds, out, **options)

    return attempt


@pytest.mark.usefixtures("no_picture")
def test_interrupt_keeps_what_is_finished_beside_an_earlier_comparison(
    whole: Comparison, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = compare(scenario, replications=2, workers=1, out=tmp_path / "out")
    before = (earlier.folder / "comparison.json").read_bytes()
    monkeypatch.setattr(study, "run", interrupted_at("cheaper"))
    with pytest.raises(ComparisonInterrupted) as interrupted:
        compare(scenario, workers=1, out=tmp_path / "out")
    kept = interrupted.value.comparison
    assert kept is not None
    assert kept.folder == tmp_path / "out-interrupted"
    assert not kept.complete
    assert kept.digests["again"] == whole.digests["again"]
    assert not kept.done["cheaper"].any()
    assert json.loads((kept.folder / "comparison.json").read_text("utf-8"))["complete"] is False
    assert (earlier.folder / "comparison.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out-interrupted"]


def test_interrupt_before_anything_is_finished_leaves_nothing(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "run", interrupted_at(STRATEGIES[0]))
    with pytest.raises(ComparisonInterrupted) as interrupted:
        compare(scenario, workers=1, out=tmp_path / "out")
    assert interrupted.value.comparison is None
    assert list(tmp_path.iterdir()) == []
