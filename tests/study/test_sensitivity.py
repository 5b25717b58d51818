"""Sensitivity through its whole way, a formula with known indices in the place of the simulation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import StudyError
from sim.study import findings, sensitivity, sweep
from sim.study.design import Axis, Point
from sim.study.sensitivity import Finding, Output, Sample, explore, prepared, sample
from sim.study.store import Store
from tests.study import tiny

Formula = Callable[[np.ndarray], np.ndarray]
PI = np.pi
AXES = """
axes:
  people.browse.opens: {from: 0.5, to: 1.0}
  people.buy.nothing: {from: -4.0, to: -2.0}
  merchants.tea.products.cup.price: {from: 30, to: 60}
"""


def ishigami(x: np.ndarray) -> np.ndarray:
    x = PI * (2 * x - 1)
    return np.asarray(np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))


def ishigami_indices() -> tuple[list[float], list[float]]:
    """First and total, from Ishigami & Homma 1990, with a = 7 and b = 0.1."""
    one, two, both = (1 + PI**4 / 50) ** 2 / 2, 49 / 8, 8 * PI**8 / 225 / 100
    whole = one + two + both
    return [one / whole, two / whole, 0.0], [(one + both) / whole, two / whole, both / whole]


WEIGHTS = np.array([0.0, 1.0, 4.5, 9.0, 99.0])


def g(x: np.ndarray) -> np.ndarray:
    return np.asarray(((np.abs(4 * x - 2) + WEIGHTS) / (1 + WEIGHTS)).prod(axis=1))


def g_indices() -> tuple[list[float], list[float]]:
    """First and total, from Sobol 1993: V_i = 1 / (3 (1 + a_i)²)."""
    parts = 1 / (3 * (1 + WEIGHTS) ** 2)
    whole = (1 + parts).prod() - 1
    return list(parts / whole), [part * (1 + np.delete(parts, at)).prod() / whole for at, part in enumerate(parts)]


def points(sampled: Sample) -> list[Point]:
    """The points of a sample, each axis from 0 to 1, through the axes that studies have."""
    axis = Axis.model_validate({"from": 0.0, "to": 1.0})
    rows = sampled.shares.reshape(-1, sampled.shares.shape[2])
    return [{str(at): axis.at(float(share)) for at, share in enumerate(row)} for row in rows]


def asked(formula: Formula, seeds: int = 1, noise: float = 0.0) -> sensitivity.Model:
    """A model: the formula at each point, under seeds that lift all points alike and move each for itself."""

    def model(at: Sequence[Point]) -> dict[Output, np.ndarray]:
        rng = np.random.default_rng(len(at))
        y = formula(np.array([[*point.values()] for point in at]))[:, None]
        lift = noise * rng.standard_normal(seeds)
        return {Output("y", "it"): y + lift + noise * rng.standard_normal((len(at), seeds))}

    return model


def found(method: sensitivity.Method, formula: Formula, width: int, size: int, **luck: Any) -> Finding:
    sampled = sample(method, {str(at): str(at) for at in range(width)}, size)
    (finding,) = explore(sampled, points(sampled), asked(formula, **luck))
    return finding


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "truth"), [(ishigami, ishigami_indices()), (g, g_indices())])
@pytest.mark.parametrize(("luck", "error"), [({}, 0.02), ({"seeds": 4, "noise": 1.0}, 0.07)])
def test_sobol_indices_are_those_of_theory(formula: Formula, truth: Any, luck: dict[str, Any], error: float) -> None:
    """Within 0.02 of the closed form at 2,048 rows; within 0.07 where luck makes half of the variance of a run."""
    if formula is g and luck:
        luck = luck | {"noise": 0.5}
    finding = found("sobol", formula, len(truth[0]), 2_048, **luck)
    for at, both in enumerate(finding.indices):
        for index, true in zip(both, (truth[0][at], truth[1][at]), strict=True):
            assert index.value == pytest.approx(true, abs=error)
            assert index.low - error / 4 <= true <= index.high + error / 4


def test_morris_ranks_ishigami_and_g_as_theory_does() -> None:
    """Exact on the grid of four levels: sin is 0 at its ends and the two levels between, up to sign, are ±√3/2."""
    finding = found("morris", g, 5, 200)
    assert [name for name, _ in finding.ranked] == ["0", "1", "2", "3", "4"]
    star = {name: both[0].value for name, both in finding.ranked}
    # A step of 2/3 from 0 or 1/3 (mirrored: from 1 or 2/3) takes |4x-2| from 2 to 2/3, and from 2/3 to 2: 4/3 · 3/2.
    others = np.array([(np.array([2, 2 / 3, 2 / 3, 2]) + weight).mean() / (1 + weight) for weight in WEIGHTS])
    for at, weight in enumerate(WEIGHTS):
        true = 2 / (1 + weight) * np.delete(others, at).prod()
        error = finding.indices[at][0].high - finding.indices[at][0].value
        assert star[str(at)] == pytest.approx(true, abs=1.6 * error)
    ranked = found("morris", ishigami, 3, 200)
    assert ranked.indices[0][1].value > 0 and ranked.indices[2][1].value > 0


def test_morris_with_one_seed_is_that_of_salib() -> None:
    from SALib.analyze import morris

    sampled = sample("morris", {name: name for name in "abc"}, 20)
    x = sampled.shares.reshape(-1, 3)
    (finding,) = explore(sampled, points(sampled), asked(ishigami))
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    said = morris.analyze(problem, x, ishigami(x), num_levels=4)
    np.testing.assert_allclose([both[0].value for both in finding.indices], said["mu_star"], atol=1e-9)
    np.testing.assert_allclose([both[1].value for both in finding.indices], said["sigma"], atol=1e-9)


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_a_larger_sample_begins_with_the_smaller(method: sensitivity.Method) -> None:
    axes = {"a": "one", "b": "one", "c": "two"}
    for groups in (axes, {name: name for name in axes}):
        small, large = sample(method, groups, 4, seed=0), sample(method, groups, 8, seed=0)
        np.testing.assert_array_equal(large.shares[:4], small.shares)
        assert not np.array_equal(small.shares, sample(method, groups, 4, seed=5).shares)


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_axes_of_one_factor_move_together(method: sensitivity.Method) -> None:
    axes = {"a": "one", "b": "two", "c": "one"}
    sampled = sample(method, axes, 64)
    assert sampled.factors == ("one", "two")
    assert sampled.shares.shape[1] == (3 if method == "morris" else 4)
    (finding,) = explore(sampled, points(sampled), asked(lambda x: x[:, 0] + 2 * x[:, 2]))
    assert [name for name, _ in finding.deciding] == ["one"]
    if method == "sobol":
        assert finding.indices[0][1].value == pytest.approx(1.0, abs=0.1)


def test_blocks_in_which_there_is_nothing_to_measure_are_left_out() -> None:
    sampled = sample("morris", {"a": "a", "b": "b"}, 6)
    values = points(sampled)
    y = np.array([[point["0"] * 2.0] * 2 for point in values])
    y[4, 1] = np.nan
    finding = sensitivity.judge(sampled, Output("y", "it"), y)
    assert (finding.blocks, finding.dropped) == (5, 1)
    assert finding.indices[0][0].value == pytest.approx(2)
    with pytest.raises(StudyError, match="measured in all runs of 0 of 6"):
        sensitivity.judge(sampled, Output("y", "it"), y * np.nan)


# ----------------------------------------------------------------------------------------------- through a study


def study(folder: Path, text: str = AXES, seeds: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    tiny.write(folder, f"count: {tiny.PEOPLE}", "count: 40")
    path = folder / "study.yaml"
    path.write_text(
        f"title: Which?\nscenario: tiny.yaml\nseeds: {seeds}\nstrategies: [store only, cheaper]\n"
        f"metrics: [net_gmv]\n{text}",
        "utf-8",
    )
    return path


def formula_for_runs(monkeypatch: pytest.MonkeyPatch, formula: Callable[[Any, int], float]) -> list[int]:
    """Put a formula of scenario and seed in the place of runs and of what is measured of them; counts the runs."""
    done: list[int] = []

    class Made:
        def __init__(self, scenario: Any, seed: int) -> None:
            self.value, self.manifest = formula(scenario, seed), {"digest": {"total": "0"}}

        def close(self) -> None:
            done.append(1)

    def run(scenario: Any, seeds: Any, *args: Any, **options: Any) -> list[Made]:
        return [Made(scenario, seed) for seed in seeds]

    monkeypatch.setattr(sweep, "run", run)
    monkeypatch.setattr(sweep.metrics, "table", lambda ledger, names, merchant: {"net_gmv": ledger.value})
    return done


def shares_of(scenario: Any) -> np.ndarray:
    cup = scenario.merchants["tea"].products["cup"]
    return np.array(
        [
            [
                (scenario.people["browse"].opens - 0.5) / 0.5,
                (scenario.people["buy"].nothing + 4) / 2,
                (cup.price - 30) / 30,
            ]
        ]
    )


@pytest.mark.slow
def test_a_study_of_a_formula_gives_its_indices_and_runs_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def formula(scenario: Any, seed: int) -> float:
        luck = seed % 1_000 / 1_000
        cheaper = scenario.merchants["tea"].products["cake"].price == 45
        return float(ishigami(shares_of(scenario))[0]) * (1 + 0.2 * luck) * (2 if cheaper else 1) + 50 * luck

    done = formula_for_runs(monkeypatch, formula)
    asked_for, sampled = prepared(study(tmp_path / "a"), "sobol", size=32)
    store = Store(tmp_path / "store")
    _, (first,) = sensitivity.sensitivity(asked_for, sampled, tmp_path / "out", store, workers=1, levels=False)
    assert len(done) == 32 * 5 * 2 * 3
    assert (first.output.strategy, first.output.baseline) == ("cheaper", "store only")
    _, totals = ishigami_indices()
    for both, true in zip(first.indices, totals, strict=True):
        assert both[1].low - 0.1 <= true <= both[1].high + 0.1
    assert first.parts.parameters > 0.5
    done.clear()
    asked_for, sampled = prepared(study(tmp_path / "a"), "sobol", size=64)
    sensitivity.sensitivity(asked_for, sampled, tmp_path / "out", store, workers=1)
    assert len(done) == 32 * 5 * 2 * 3  # the other half


def test_runs_that_fail_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(scenario: Any, seed: int) -> float:
        raise RuntimeError("no memory")

    formula_for_runs(monkeypatch, fails)
    asked_for, sampled = prepared(study(tmp_path / "a", seeds=1), "morris", size=2)
    with pytest.raises(StudyError, match="16 runs failed, the first one by: RuntimeError: no memory"):
        sensitivity.sensitivity(asked_for, sampled, tmp_path / "out", Store(tmp_path / "store"), workers=1)


@pytest.mark.slow
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = study(tmp_path / "mine", "axes: {people.browse.opens: {from: 0.5, to: 1.0}}\nsensitivity: {size: 2}\n", 2)
    said = wxsim("sensitivity", path, "--dry-run")
    assert said.exit_code == 0, said.output
    assert (
        "factors: 1, blocks of points: 2" in said.output
        and "4 points x 2 strategies x 2 seeds = 16 runs" in said.output
    )
    said = wxsim("sensitivity", path, "--workers", 1)
    assert said.exit_code == 0, said.output
    assert "net_gmv, cheaper less store only" in said.output and "seeds" in said.output
    assert max(map(len, said.output.splitlines()[:-1])) <= 80
    out = tmp_path / "runs" / "mine-morris"
    assert {f"sensitivity.{kind}" for kind in ("csv", "parquet", "txt", "png", "svg")} <= {
        file.name for file in out.iterdir()
    }
    again = wxsim("sensitivity", path, "--workers", 1, "--metric", "orders", "--levels")
    assert again.exit_code == 0 and "orders, cheaper\n" in again.output


def wxsim(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_wrong_input_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = study(tmp_path / "mine")
    for arguments, said in (
        (("sensitivity", path, "--method", "sobol", "--size", 10), "use a power of two"),
        (("sensitivity", path, "--size", 1), "use 2 or more"),
        (("sensitivity", path, "--metric", "gnv"), "is not a metric"),
        (("sensitivity", "nothing.yaml"), "a study is a YAML file"),
        (("sensitivity", study(tmp_path / "none", "axes: {}\n")), "nothing to vary"),
        (("sensitivity", study(tmp_path / "out", AXES.replace("1.0}", "1.5}"))), "less than or equal to 1"),
    ):
        result = wxsim(*arguments)
        assert result.exit_code == 2 and said in result.output, result.output
        assert "Traceback" not in result.output
        assert not (tmp_path / "runs").exists() or not any(path.name.endswith("morris") for path in tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------- what is told of it


def test_sentences_say_what_the_numbers_say(tmp_path: Path) -> None:
    finding = replace(found("morris", lambda x: 3 * x[:, 0] + 0.001 * x[:, 1], 2, 8, seeds=4, noise=0.5), dropped=2)
    said = " ".join(findings.sentences(finding))
    assert said.startswith("1 of 2 factors moves it more than luck does: 0.")
    assert "Left out: 2 of 10 blocks" in said and "4 seeds, the same at every point" in said
    assert "One seed" in " ".join(findings.sentences(found("morris", lambda x: 3 * x[:, 0], 2, 8)))
    nothing = found("morris", lambda x: 0 * x[:, 0], 2, 8, seeds=4, noise=0.5)
    assert next(findings.sentences(nothing)).startswith("None of 2 factors is told from luck")
    constant = found("sobol", lambda x: 0 * x[:, 0] + 7, 2, 8)
    assert [*findings.sentences(constant)] == ["It is 7 at every point, under every seed: nothing moves it."]
    turned = replace(finding, output=Output("y", "b", "a"))
    assert "above 0 at" in " ".join(findings.sentences(turned))


@pytest.mark.slow
def test_the_figure_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    asked_for, _ = prepared(study(tmp_path / "mine"), "morris", size=2)
    finding = found("morris", g, 5, 8, seeds=3, noise=0.1)
    for name in ("one", "two"):
        findings.draw(asked_for, [finding, finding], tmp_path / f"{name}.png", tmp_path / f"{name}.svg")
    for kind in ("png", "svg"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
