import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import StudyError
from sim.study.folder import COMPARISON, RUN, begin, check, publish, replacing, slugs, write_json, write_text

SUMMARY = {"wxsim": "comparison", "scenario": "s", "strategies": {}, "seeds": []}


def an_earlier_one(folder: Path) -> Path:
    folder.mkdir()
    (folder / "comparison.json").write_text(json.dumps(SUMMARY))
    return folder


def test_slugs_by_hand() -> None:
    names = ["store only", "Store + Mini-Program", "store_only", "全渠道 A", "!!!", ""]
    wanted = ["store-only", "store-mini-program", "store-only-2", "全渠道-a", "strategy", "strategy-2"]
    assert list(slugs(names).values()) == wanted


@given(st.lists(st.text(max_size=8), unique=True, max_size=20))
def test_slugs_are_distinct_plain_names(names: list[str]) -> None:
    found = list(slugs(names).values())
    assert len(set(found)) == len(names)
    assert all(slug and "/" not in slug and not slug.startswith(".") for slug in found)


def test_new_empty_or_our_own_folder_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new", tmp_path / "empty", an_earlier_one(tmp_path / "earlier")):
        check(folder, COMPARISON)


@pytest.mark.parametrize("content", ["notes", "{}", "[]", "not json", '{"scenario": 1}'])
def test_somebody_elses_folder_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(StudyError, match="is not a comparison of wxsim; choose another folder"):
        check(tmp_path, COMPARISON)


def test_a_file_and_another_kind_of_output_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match="not a run"):
        check(tmp_path / "file", RUN)
    with pytest.raises(StudyError, match="not a run"):
        check(an_earlier_one(tmp_path / "earlier"), RUN)


def test_earlier_output_is_replaced_and_what_lies_beside_it_is_kept(tmp_path: Path) -> None:
    folder = an_earlier_one(tmp_path / "out")
    (folder / "notes.txt").write_text("mine")
    (folder / "runs").mkdir()
    (folder / "runs" / "old").touch()
    made = begin(folder, COMPARISON)
    (made / "table.txt").write_text("new")
    assert (folder / "runs" / "old").exists()  # untouched until the new one is whole
    publish(made, folder, COMPARISON)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "table.txt"]
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("kind", ["folder", "link", "here"])
def test_a_folder_that_is_there_stays_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    before = folder.stat().st_ino
    if kind == "link":
        (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    for text in ("first", "second"):
        with replacing({"folder": folder, "link": tmp_path / "link", "here": Path()}[kind], COMPARISON) as made:
            (made / "table.txt").write_text(text)
            (made / "comparison.json").write_text(json.dumps(SUMMARY))
        assert sorted(path.name for path in folder.iterdir()) == ["comparison.json", "table.txt"]
        assert (folder / "table.txt").read_text() == text
    assert folder.stat().st_ino == before


def test_a_block_that_fails_changes_nothing(tmp_path: Path) -> None:
    folder = an_earlier_one(tmp_path / "out")
    with pytest.raises(ZeroDivisionError), replacing(folder, COMPARISON) as made:
        (made / "table.txt").write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in folder.iterdir()] == ["comparison.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_block_that_ends_well_gives_the_folder_its_name(tmp_path: Path) -> None:
    with replacing(tmp_path / "deep" / "out", COMPARISON) as made:
        (made / "table.txt").write_text("whole")
    assert (tmp_path / "deep" / "out" / "table.txt").read_text() == "whole"
    assert (tmp_path / "deep" / "out").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match="cannot be written"):
        begin(tmp_path / "file" / "out", COMPARISON)


def test_json_refuses_nan_and_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_json(path, {"a": 1.5, "name": "茶"})
    assert json.loads(path.read_text("utf-8")) == {"a": 1.5, "name": "茶"}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text("utf-8"))["a"] == 1.5
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]


def test_text_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be written"):
        write_text(tmp_path / "no such folder" / "out.txt", "text")
