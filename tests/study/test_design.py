"""Designs of studies: products, blocks, samples, and what is told of faults."""

from pathlib import Path

import pytest

from sim.errors import ScenarioError, StudyError
from sim.study.design import AS_IT_IS, read
from tests.study import tiny

BASE = "title: What if?\nscenario: tiny.yaml\n"


def study(folder: Path, text: str) -> Path:
    tiny.write(folder)
    path = folder / "study.yaml"
    path.write_text(BASE + text, "utf-8")
    return path


def test_without_axes_there_is_one_point(tmp_path: Path) -> None:
    made = read(study(tmp_path, "seeds: 2\n"))
    assert made.points == ({},)
    assert list(made.strategies) == [*tiny.STRATEGIES]
    assert (made.baseline, made.metrics, len(made.seeds)) == ("store only", ("orders", "net_gmv"), 2)


def test_axes_are_combined(tmp_path: Path) -> None:
    dear = "{path: merchants.tea.products.cake.price, from: 80, to: 100, steps: 3}"
    text = f"axes: {{people.browse.opens: [0.5, 1.0], dear: {dear}}}\n"
    made = read(study(tmp_path, text))
    assert [tuple(point.values()) for point in made.points] == [
        (0.5, 80.0), (0.5, 90.0), (0.5, 100.0), (1.0, 80.0), (1.0, 90.0), (1.0, 100.0)
    ]  # fmt: skip
    scenario = made.at("store only", made.points[3])
    assert scenario.people["browse"].opens == 1.0  # type: ignore[attr-defined]
    assert scenario.merchants["tea"].products["cake"].price == 80.0


def test_blocks_are_products_one_after_the_other(tmp_path: Path) -> None:
    text = """axes: {a: {path: people.browse.opens, from: 0, to: 1}, b: {path: people.buy.nothing, from: -9, to: 9}}
blocks: [{a: 0.5, b: [1, 2]}, {a: [0.1, 0.2]}]
"""
    made = read(study(tmp_path, text))
    assert made.points == ({"a": 0.5, "b": 1}, {"a": 0.5, "b": 2}, {"a": 0.1}, {"a": 0.2})


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol"])
def test_samples_fill_the_ranges(tmp_path: Path, kind: str) -> None:
    text = f"""axes: {{people.browse.opens: {{from: 0.2, to: 0.6}}, world.people.count: {{from: 100, to: 200}},
  spread: {{path: people.buy.frozen_weight, from: 0.01, to: 1, scale: log}}}}
design: {{{kind}: 16, seed: 5}}
"""
    made = read(study(tmp_path, text))
    assert len(made.points) == 16
    shares = [[(point["people.browse.opens"] - 0.2) / 0.4 for point in made.points]]  # type: ignore[operator]
    assert all(sorted(int(share * 16) for share in column) == list(range(16)) for column in shares)  # one in each 16th
    assert all(isinstance(point["world.people.count"], int) for point in made.points)
    assert sum(point["spread"] < 0.1 for point in made.points) == 8  # type: ignore[operator]
    assert read(study(tmp_path, text)).points == made.points


def test_what_a_strategy_has_not_is_left_out(tmp_path: Path) -> None:
    tiny.write(tmp_path, "  again: {}", "  again: {merchants.tea.channels.groups: {}}")
    path = tmp_path / "study.yaml"
    path.write_text(BASE + "axes: {merchants.tea.channels.groups.joining: [0.1, 0.9]}\n", "utf-8")
    made = read(path)
    low, high = made.points
    assert made.at("store only", low).digest == made.at("store only", high).digest
    assert made.at("again", low).digest != made.at("again", high).digest


def test_a_scenario_without_strategies_runs_as_it_is(tmp_path: Path) -> None:
    text = tiny.TEXT[: tiny.TEXT.index("strategies:")]
    (tmp_path / "tiny.yaml").write_text(text, "utf-8")
    (tmp_path / "study.yaml").write_text(BASE + "set: {world.people.count: 60}\n", "utf-8")
    made = read(tmp_path / "study.yaml")
    assert list(made.strategies) == [AS_IT_IS]
    assert made.strategies[AS_IT_IS].world.people.count == 60


def test_all_that_is_assumed_is_varied_within_its_span(tmp_path: Path) -> None:
    made = read(study(tmp_path, "axes: all assumed\ndesign: {latin_hypercube: 3}\n"))
    assert len(made.paths) > 40
    assert "merchants.*.channels.store.discovery" in made.paths
    assert not any(".products." in path for path in made.paths)
    for point in made.points:
        made.at("store only", point)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("axes: {people.brows.opens: [1]}", 'did you mean "browse"'),
        ("axes: {people.browse.opens: [2]}", "axis people.browse.opens: people.browse.opens: 2 cannot stand there"),
        ("axes: {people.browse.opens: {from: 0.5, to: 7}}", "7.0 cannot stand there"),
        ("axes: {people.browse.opens: {from: 0.5}}", "needs either `values`, or `from` and `to`"),
        ("axes: {people.browse.opens: {from: 1, to: 0.5}}", "`from` must be below `to`"),
        ("axes: some", "input should be"),
        ("axis: {}", 'study.yaml:3:1: axis: is not a key of a study; did you mean "axes"'),
        ("metrics: [ordres]", 'did you mean "orders"'),
        ("strategies: [stor only]", 'did you mean "store only"'),
        ("baseline: nobody", "the baseline 'nobody' is not a strategy here"),
        ("seeds: 0", "needs 1 to 100000 seeds"),
        ("set: {people.browse.open: 1}", 'did you mean "opens"'),
        ("blocks: [{price: 1}]", "a block names 'price'"),
        ("design: {}", "either latin_hypercube or sobol"),
        ("scenario: tiny.yml", "scenario"),
    ],
)
def test_faults_say_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises((ScenarioError, StudyError)) as raised:
        read(study(tmp_path, text + "\n"))
    assert said in str(raised.value)


def test_a_study_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a study is a YAML file"):
        read(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("axes: {people.brows.opens: [1]}\n", 'did you mean "browse"'),
        ("strategies: [chaeper]\n", "'chaeper' is not a strategy"),
        ("axes: {people.browse.opens: {values: [0.5, 1.0], steps: 3}}\n", "leave out steps"),
        ("axes: {people.browse.opens: {values: [0.5, 1.0], from: 0.1}}\n", "leave out from"),
        ("axes: {people.browse.opens: [1, 0.5, 1.0]}\n", "names a value twice"),
        ("seeds: [3, 4, 3]\n", "names a seed twice"),
        ("axes: {people.browse.opens: [1]}\nblocks: [{people.browse.opens: [1, 1]}]\n", "twice"),
    ],
)
def test_a_fault_names_the_file_and_stands_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = study(tmp_path, text)
    with pytest.raises((StudyError, ScenarioError)) as caught:
        read(path)
    assert said in str(caught.value) and str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.filterwarnings("error")
def test_a_sobol_sample_of_an_unbalanced_size_is_advised_against_in_a_line(tmp_path: Path) -> None:
    text = "axes: {{people.browse.opens: {{from: 0.1, to: 0.9}}}}\ndesign: {{sobol: {}}}\n"
    five = read(study(tmp_path, text.format(5)))
    assert len(five.points) == 5 and "4 or 8 instead of 5" in five.advice and "\n" not in five.advice
    assert read(study(tmp_path, text.format(8))).advice == ""
