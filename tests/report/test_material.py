import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sim.config.model import Expected
from sim.errors import LedgerError, StudyError
from sim.report.material import Material, read
from sim.study.comparison import Comparison
from tests.report.town import BASE, CHEAPER, DAYS, DEAR, SEEDS
from tests.study.example import BETTER, LAME, comparison


def test_a_comparison_is_restored_from_what_it_wrote() -> None:
    names = comparison().values
    made = comparison(
        combined={BETTER: (LAME,)},
        digests=dict.fromkeys(names, ("a", None, "c", "d")),
        done=dict.fromkeys(names, np.array([True, False, True, True])),
        failures=(),
        expects=(Expected.model_validate({"metric": "gmv", "strategy": BETTER, "is": "higher", "than": LAME}),),
    )
    content = json.loads(json.dumps(made.as_dict()))
    again = Comparison.restore(content, made.folder)
    assert again.as_dict() == made.as_dict()
    assert again.expects == made.expects
    assert all((again.done[name] == made.done[name]).all() for name in made.values)


def test_a_metric_that_is_no_more_is_named() -> None:
    content = comparison().as_dict()
    content["metrics"]["old_metric"] = {}
    with pytest.raises(StudyError, match="measures old_metric"):
        Comparison.restore(content, Path("found"))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"wxsim": "comparison", "metrics": 3}'])
def test_a_folder_that_is_no_comparison_is_told_in_a_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "comparison.json").write_text(content, "utf-8")
    with pytest.raises(StudyError, match="compare again") as error:
        read(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_of_nothing_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no such folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(StudyError, match="holds no run"):
        read(tmp_path)


@pytest.mark.slow
def test_cells_are_the_finished_runs(material: Material) -> None:
    assert [(cell.strategy, cell.number) for cell in material.cells] == [
        (name, number) for name in (BASE, CHEAPER, DEAR) for number in range(SEEDS)
    ]
    assert [cell.number for cell in material.cells if cell.example] == [0, 0, 0]
    assert all(cell.ledger().manifest["seed"] == cell.seed for cell in material.cells)
    assert material.days == DAYS


@pytest.mark.slow
def test_a_run_that_was_taken_away_is_missed(found: Path, tmp_path: Path) -> None:
    shutil.copytree(found, tmp_path / "found")
    shutil.rmtree(tmp_path / "found" / "runs" / "too-dear" / "seed-1")
    with pytest.raises(LedgerError, match="too-dear/seed-1: is missing"):
        read(tmp_path / "found")
