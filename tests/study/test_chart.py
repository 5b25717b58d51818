"""Pictures show the numbers that are there, and are the same whenever they are drawn."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sim.errors import StudyError
from sim.study import chart
from tests.study import made

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE = [{"hours": hours} for hours in (72, 6, 24)]
GRID = [{"hours": hours, "chance": chance} for hours in (6, 24, 72) for chance in (0.2, 0.8)]


def value(point: Any, strategy: str, seed: int) -> float:
    return point["hours"] * (2 if strategy == "gifts" else 1) + seed * (1 + (strategy == "gifts"))


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> "list[Figure]":
    """The figures that are drawn, as they are saved."""
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))[1])
    return drawn


@pytest.mark.slow
def test_lines_with_bands_over_one_axis(tmp_path: Path, figures: "list[Figure]") -> None:
    found = made.study(tmp_path / "s", LINE, value, ("none", "gifts", "more"))
    chart.draw(found, tmp_path / "a.png")
    (panel,) = figures[0].axes
    gifts, more, zero = panel.lines
    assert gifts.get_label() == "gifts" and list(gifts.get_xdata()) == [6, 24, 72]
    assert list(gifts.get_ydata()) == [6 + 1.5, 24 + 1.5, 72 + 1.5]
    assert list(more.get_ydata()) == [0, 0, 0] and list(zero.get_ydata()) == [0, 0]
    band = panel.collections[0].get_paths()[0].vertices[:, 1]
    half = 3.182446 * (5 / 3) ** 0.5 / 2  # t of three degrees · s of (0, 1, 2, 3) / √4
    assert (band.min(), band.max()) == pytest.approx((7.5 - half, 73.5 + half))
    chart.draw(found, tmp_path / "b.png", levels=True)
    assert [line.get_label() for line in figures[1].axes[0].lines] == ["none", "gifts", "more"]


def test_a_map_over_two_axes(tmp_path: Path, figures: "list[Figure]") -> None:
    found = made.study(tmp_path / "s", GRID, lambda point, name, seed: value(point, name, seed) * point["chance"])
    chart.draw(found, tmp_path / "a.svg")
    (panel,) = figures[0].axes
    said = {(text.xy[0], text.xy[1]): text.get_text() for text in panel.texts}
    assert said[0, 0] == "(+1.5)" or said[0, 0].startswith("+")
    assert said[2, 1] == "+58.8"  # (72 + 1.5) · 0.8
    assert [label.get_text() for label in panel.get_xticklabels()] == ["6", "24", "72"]


def test_names_on_an_axis_keep_their_order(tmp_path: Path, figures: "list[Figure]") -> None:
    points = [{"who": who, "hours": 1} for who in ("friends", "all", "nobody")]
    found = made.study(tmp_path / "s", points, value)
    chart.draw(found, tmp_path / "a.png")
    assert [label.get_text() for label in figures[0].axes[0].get_xticklabels()] == ["friends", "all", "nobody"]


@pytest.mark.slow
def test_the_same_bytes_again(tmp_path: Path) -> None:
    found = made.study(tmp_path / "s", GRID, value)
    chart.draw(found, tmp_path / "a.png", tmp_path / "a.svg")
    chart.draw(found, tmp_path / "b.png", tmp_path / "b.svg")
    for kind in ("png", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.slow
def test_each_of_three_axes_has_its_lines_averaged_over_the_others(tmp_path: Path, figures: "list[Figure]") -> None:
    points = [{**point, "price": price} for point in GRID for price in (1, 2)]
    found = made.study(tmp_path / "s", points, value)
    chart.draw(found, tmp_path / "a.png")
    hours, chance, price = figures[0].axes
    assert list(hours.lines[0].get_ydata()) == [6 + 1.5, 24 + 1.5, 72 + 1.5]
    assert list(chance.lines[0].get_ydata()) == list(price.lines[0].get_ydata()) == [34 + 1.5, 34 + 1.5]
    assert [panel.get_xlabel() for panel in (hours, chance, price)] == ["hours", "chance", "price"]


def test_where_nothing_varies_there_is_nothing_to_draw(tmp_path: Path) -> None:
    found = made.study(tmp_path / "s", [{"hours": 1}], value)
    with pytest.raises(StudyError, match="nothing varies"):
        chart.draw(found, tmp_path / "a.png")
