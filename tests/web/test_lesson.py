"""The lesson: one table for all windows; what it runs is what `wxsim compare` runs on the file that it hands out."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.config.load import load
from sim.errors import StudyError
from sim.report import material
from sim.study.compare import compare
from sim.web import walk
from sim.web.lesson import Lesson, offered
from sim.web.predictions import Prediction
from sim.web.result import SECTIONS, history, lines, report
from sim.web.setting import MOST_FOR_A_CLASS, text
from sim.words import speaking
from tests.report.town import BASE, CHEAPER, DEAR, TEXT


@pytest.fixture
def town(tmp_path: Path) -> str:
    file = tmp_path / "town.yaml"
    file.write_text(TEXT, "utf-8")
    return str(file)


@pytest.fixture
def lesson(town: str) -> Iterator[Lesson]:
    made = Lesson(town)
    yield made
    made.close()
    assert not made.folder.exists()


def wait(lesson: Lesson, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while lesson.busy and time.monotonic() < end:
        time.sleep(0.05)
    assert not lesson.busy


def lever_of(lesson: Lesson, path: str, strategy: str = "") -> object:
    return next(each for group in lesson.groups for each in group.levers if each.key == (strategy, path))


def test_levers_move_the_setting_and_back(lesson: Lesson) -> None:
    lever = lever_of(lesson, "merchants.tea.products.cake.price", CHEAPER)
    before = lesson.versions["setting"]
    lesson.change(lever, 40.0)
    assert lesson.setting.changes == {(CHEAPER, "merchants.tea.products.cake.price"): 40.0}
    assert lesson.versions["setting"] > before
    with pytest.raises(StudyError):
        lesson.change(lever, -1.0)
    lesson.back()
    assert lesson.setting.changes == {}


def test_sizes_stay_within_what_may_be(lesson: Lesson) -> None:
    lesson.size("days", 1e9)
    assert lesson.setting.days == lesson.most["days"]
    lesson.size("seeds", -3)
    assert lesson.setting.seeds == 1
    lesson.size("nonsense", 3)


def test_the_baseline_stays_on(lesson: Lesson) -> None:
    lesson.switch(BASE, False)
    lesson.switch(DEAR, False)
    assert lesson.setting.off == {DEAR}
    assert lesson.others == [CHEAPER]


def test_for_a_class_everything_but_the_result_is_locked(town: str) -> None:
    lesson = Lesson(town, read_only=True)
    try:
        assert lesson.most == MOST_FOR_A_CLASS
        assert lesson.predict_first
        with pytest.raises(StudyError, match="locked"):
            lesson.change(lever_of(lesson, "merchants.tea.products.cake.price"), 40.0)
        with pytest.raises(StudyError, match="locked"):
            lesson.open("triangle")
    finally:
        lesson.close()


def test_predictions_are_one_for_each_name(lesson: Lesson) -> None:
    lesson.predicts_first(True)
    for percent in (3.0, 5.0):
        lesson.predict(Prediction("red", {CHEAPER: percent}))
    lesson.predict(Prediction("blue", {CHEAPER: 1.0}))
    assert [(each.who, each.percents[CHEAPER]) for each in lesson.predictions] == [("red", 5.0), ("blue", 1.0)]
    lesson.forget("red")
    assert [each.who for each in lesson.predictions] == ["blue"]
    assert lesson.hidden
    lesson.reveal()
    assert not lesson.hidden


def test_offered_are_the_shipped_scenarios_that_compare() -> None:
    assert "triangle" in offered()
    assert "base" not in offered()


@pytest.mark.slow
def test_it_runs_what_its_file_says_and_shows_what_compare_says(lesson: Lesson, tmp_path: Path) -> None:
    lesson.change(lever_of(lesson, "merchants.tea.products.cake.price", CHEAPER), 40.0)
    lesson.size("seeds", 3)
    lesson.run()
    assert not lesson.stale
    wait(lesson)
    assert lesson.running is not None and lesson.running.error == ""
    found = lesson.found
    assert found is not None and found.complete and found.folder.is_dir()

    file = tmp_path / "changed.yaml"
    file.write_text(text(lesson.setting), "utf-8")
    again = compare(load(file), out=tmp_path / "again", workers=1)
    assert found.as_dict() == again.as_dict()

    shown = {line.strategy: line for line in lines(found)}
    metric = again.metrics[0]
    assert shown[CHEAPER].verdict == again.difference(CHEAPER, metric).verdict.partition(":")[0] + (
        ":" if ":" in again.difference(CHEAPER, metric).verdict else ""
    )
    drawn = history(found)
    assert drawn.places == (2, 3)
    assert drawn.lines[0].mean[-1] == pytest.approx(again.difference(CHEAPER, metric).estimate.mean, rel=1e-5)

    assert lesson.seen is not None
    for language in ("en", "zh"):
        with speaking(language):
            whole = lesson.seen.compared([Prediction("<b>red</b>", {CHEAPER: 10.0})])
            assert whole is not None
            assert "&lt;b&gt;red&lt;/b&gt;" in whole.html and "<b>red" not in whole.html
            assert "&lt;b&gt;cheaper&lt;/b&gt;" in whole.html and "<b>cheaper" not in whole.html
            for name in (each for each in SECTIONS if each != "findings"):
                piece = lesson.seen.section(name, name)
                assert piece is not None and piece.figures
                assert all(f'data-figure="{figure}"' in piece.html for figure in piece.figures)
    assert "<!DOCTYPE html>" in lesson.apart.make("zh", report, found.folder)

    cells = material.of(found).cells
    one, other = (walk.cell_of(cells, name, 0) for name in (BASE, CHEAPER))
    _, user = walk.named(one)[0]
    week = walk.walk([one, other], user)
    assert week.moments
    assert [moment.time for moment in week.moments] == sorted(moment.time for moment in week.moments)
    assert any(side is not None and side.led for moment in week.moments for side in moment.sides)
    assert week.moments[0].sides[0] is None or week.moments[0].sides[0].told in walk.html(week, 0).replace("&#39;", "'")
    with pytest.raises(StudyError, match="no user"):
        walk.walk([one], 10_000)

    lesson.size("days", 4)
    assert lesson.stale


@pytest.mark.slow
def test_cancelled_it_keeps_what_is_done(lesson: Lesson) -> None:
    lesson.size("days", 60)
    lesson.size("seeds", 40)
    lesson.run()
    end = time.monotonic() + 120
    while (lesson.found is None) and time.monotonic() < end:
        time.sleep(0.02)
    assert lesson.running is not None
    lesson.running.cancel()
    wait(lesson, 20)
    found = lesson.found
    assert found is not None and not found.complete
    assert any(done.any() for done in found.done.values())
    assert len(material.of(found).cells) == sum(int(done.sum()) for done in found.done.values())
    assert lesson.running.left is None or lesson.running.left > 0
