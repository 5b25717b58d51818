"""Every experiment says what was asked, expected and found, and was made of the study as it stands."""

from pathlib import Path

import pytest

from docs.experiments import FOLDER, answered, stamp, studies, write
from sim.study.store import Store
from tests.study import tiny

STUDIES = studies()
ORDER = ("## Question", "## Prediction", "## Answer")


@pytest.mark.parametrize("name", STUDIES)
def test_a_readme_asks_predicts_and_answers(name: str) -> None:
    text = (FOLDER / name / "README.md").read_text("utf-8")
    places = [text.find(f"\n{heading}") for heading in ORDER]
    assert -1 not in places and places == sorted(places), ORDER


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_an_answer_is_of_the_study_as_it_stands(name: str) -> None:
    text = (FOLDER / name / "README.md").read_text("utf-8")
    assert f"Stamp {stamp(FOLDER / name)}." in text, f"run `python -m docs.experiments {name}`"
    assert (FOLDER / name / "answer.png").stat().st_size > 0


def test_an_answer_takes_the_place_of_the_earlier_one_alone() -> None:
    readme = "# T\n\n## Prediction\n\nup\n\n## Answer\n\nold\n\n## Command\n\nwxsim\n"
    once = answered(readme, "new", "1")
    assert (
        "old" not in once and once.startswith("# T\n\n## Prediction\n\nup\n") and once.endswith("## Command\n\nwxsim\n")
    )
    assert answered(once, "new", "1") == once
    assert answered("# T\n", "new", "1").startswith("# T\n\n## Answer\n")


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "sensitivity: {method: morris, size: 2}\n"])
def test_an_experiment_is_written(tmp_path: Path, more: str) -> None:
    tiny.write(tmp_path, f"count: {tiny.PEOPLE}", "count: 40")
    (tmp_path / "README.md").write_text("# Q\n\n## Question\n\nHow often?\n", "utf-8")
    (tmp_path / "study.yaml").write_text(
        "title: How often?\nscenario: tiny.yaml\nseeds: 2\nmetrics: [orders]\nstrategies: [store only, cheaper]\n"
        f"axes: {{people.browse.opens: {{from: 0.5, to: 1.0, steps: 2}}}}\n{more}",
        "utf-8",
    )
    write(tmp_path, Store(tmp_path / "store"), tmp_path / "out", 1)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert text.startswith("# Q\n\n## Question\n\nHow often?\n\n## Answer\n\n```\nHow often?")
    assert f"Stamp {stamp(tmp_path)}." in text and (tmp_path / "answer.png").exists()
