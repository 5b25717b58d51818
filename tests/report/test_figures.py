import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sim.errors import StudyError
from sim.report.figures import DRAWN, write
from sim.report.page import asset
from sim.report.shape import Figure, Line
from sim.study.figure import PALETTE

NAMES = ("base $x$", "<other>")
LINES = (Line(NAMES[0], (1.0, None, 3.0)), Line(NAMES[1], (2.0, 1.0, None), (1.0, 0.5, None), (3.0, 1.5, None)))
SHAPE = Figure("shape", "curves", "A title", "day", "yuan", (1.0, 2.0, 3.0), LINES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_is_png_and_svg_and_the_same_when_made_again(tmp_path: Path, kind: str) -> None:
    shape = replace(SHAPE, kind=kind, totals=(0, 2), zero=True)
    first, second = (write([shape], NAMES, tmp_path / name) for name in ("a", "b"))
    assert [path.name for path in first] == ["shape.png", "shape.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(first[1]).getroot().tag.endswith("svg")


def test_the_page_has_the_same_colours() -> None:
    found = re.findall(r"--c(\d): (#\w{6});", asset("page.css").split("}")[0])
    assert tuple(colour for _at, colour in found) == PALETTE


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(StudyError, match="figures cannot be written there"):
        write([SHAPE], NAMES, tmp_path / "file")
