from pathlib import Path

import pytest

from sim.study import figure
from sim.study.figure import draw
from sim.words import speaking, spoken
from tests.study.example import BASE, comparison


def test_picture_is_a_png_and_the_same_each_time(tmp_path: Path) -> None:
    draw(comparison(), tmp_path / "a.png")
    draw(comparison(), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_one_strategy_gives_no_picture(tmp_path: Path) -> None:
    whole = comparison()
    draw(comparison(values={BASE: whole.values[BASE]}), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_figures_speak_a_language_only_if_a_font_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for fonts, language in ((("DejaVu Sans",), "en"), (("Noto Sans CJK SC", "DejaVu Sans"), "zh")):
        monkeypatch.setattr(figure, "_fonts", lambda fonts=fonts: fonts)
        with speaking("zh"), figure.readable() as lacking:
            assert spoken() == language
            assert (figure.PACKAGE in lacking) == (language == "en")
    with figure.readable() as lacking:
        assert (spoken(), lacking) == ("en", "")
