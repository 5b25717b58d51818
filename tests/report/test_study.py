from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.report.study import StudyReport, html
from sim.study.results import results
from sim.study.stats import estimate
from sim.study.table import number
from tests.report.markup import Page
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


def test_figures_show_the_same_numbers(folder: Path) -> None:
    made = StudyReport(folder)
    found = results(folder)
    assert [figure.name for figure in made.figures] == ["orders", "net_gmv"]
    assert made.figures[0].places == (30, 40)
    assert np.allclose(made.figures[0].lines[0].mean, found.difference("cheaper", "orders").mean(axis=1), rtol=1e-5)
    assert html(made) == (folder / "report.html").read_text("utf-8")
