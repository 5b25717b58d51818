from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.report.study import StudyReport, html
from sim.study.results import results
from sim.study.stats import estimate
from sim.study.table import number
from sim.words import speaking
from tests.report.markup import Page
from tests.study.made import study
from tests.study.tiny import write

pytestmark = pytest.mark.slow

STUDY = """
title: <b>What</b> does a cup cost?
scenario: tiny.yaml
strategies: [store only, cheaper]
axes: {merchants.tea.products.cup.price: [30, 40]}
seeds: 2
metrics: [orders, net_gmv]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("study")
    write(place)
    (place / "study.yaml").write_text(STUDY, "utf-8")
    words = ["sweep", str(place), "--out", str(place / "out"), "--store", str(place / "store"), "--workers", "1"]
    result = CliRunner().invoke(app, [*words, "--report"])
    assert result.exit_code == 0, result.stderr
    return place / "out"


def test_the_page_holds_the_differences_of_every_point(folder: Path) -> None:
    parsed = Page((folder / "report.html").read_text("utf-8"))
    assert "<b>What</b> does a cup cost?" in parsed.text
    found = results(folder)
    for metric in found.metrics:
        for at, point in enumerate(found.points):
            mean = estimate(found.difference("cheaper", metric)[at])
            interval = f"{number(mean.low, True)} .. {number(mean.high, True)}"
            price = str(point["merchants.tea.products.cup.price"])
            shown = [row for row in parsed.rows if row[:4] == [str(at), price, number(mean.mean, True), interval]]
            assert shown, (metric, at)


def test_each_of_three_axes_has_figures_of_means_over_the_others(tmp_path: Path) -> None:
    axes = {"hours": (6, 24), "chance": (0.2, 0.8), "who": ("all", "friends")}
    points = [dict(zip(axes, at, strict=True)) for at in product(*axes.values())]
    found = study(tmp_path, points, lambda point, name, seed: (name == "gifts") * point["hours"] * point["chance"])
    made = StudyReport(tmp_path)
    assert [figure.name for figure in made.figures] == ["margin-by-hours", "margin-by-chance", "margin-by-who"]
    for figure, (axis, ticks) in zip(made.figures, axes.items(), strict=True):
        assert figure.places == ticks
        at = [[n for n, point in enumerate(points) if point[axis] == tick] for tick in ticks]
        wanted = [found.difference("gifts", "margin")[rows].mean() for rows in at]
        assert figure.lines[0].mean == pytest.approx(wanted)
    assert "3 parameters are varied" in Page(html(made)).text


def test_a_study_over_values_drawn_by_lot_has_no_figures_of_means(tmp_path: Path) -> None:
    points = [{"a": n / 7, "b": n / 5, "c": n / 3} for n in range(20)]
    study(tmp_path, points, lambda point, name, seed: point["a"])
    made = StudyReport(tmp_path)
    assert made.figures == ()
    with speaking("zh"):
        assert "各不相同" in Page(html(made)).text


def test_figures_show_the_same_numbers(folder: Path) -> None:
    made = StudyReport(folder)
    found = results(folder)
    assert [figure.name for figure in made.figures] == ["orders", "net_gmv"]
    assert made.figures[0].places == (30, 40)
    assert np.allclose(made.figures[0].lines[0].mean, found.difference("cheaper", "orders").mean(axis=1), rtol=1e-5)
    assert html(made) == (folder / "report.html").read_text("utf-8")
