"""The store: a run once, whole or not at all, and nothing of anybody else's touched."""

from pathlib import Path

import pytest

from sim.errors import StudyError
from sim.study import store
from sim.study.store import MARKER, Store, key, model, numbers
from sim.world.params import NATIVE_FROM, WorldParams


def test_a_run_is_kept_once_and_read_again(tmp_path: Path) -> None:
    kept = Store(tmp_path / "store")
    name = key("digest", "tea", 7)
    assert name not in kept and kept.get(name) is None
    kept.put(name, {"metrics": {"orders": 3.0}})
    before = kept.path(name).read_bytes()
    kept.put(name, {"metrics": {"orders": 4.0}})
    assert kept.path(name).read_bytes() == before
    found = Store(tmp_path / "store").get(name)
    assert found == {"wxsim": "run", "key": name, "model": model(), "metrics": {"orders": 3.0}}
    assert [*kept.keys()] == [name]


def test_looking_at_a_store_begins_none(tmp_path: Path) -> None:
    kept = Store(tmp_path / "store", begin=False)
    assert kept.get(key("digest", "tea", 7)) is None and not (tmp_path / "store").exists()
    (tmp_path / "diary.txt").write_text("mine", "utf-8")
    with pytest.raises(StudyError, match="is not a store of wxsim"):
        Store(tmp_path, begin=False)


def test_a_key_knows_networkx_where_it_makes_the_graph_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys() -> list[str]:
        return [key("digest", "tea", 7, store.libraries(WorldParams.model_validate(each))) for each in worlds]

    many = {"count": NATIVE_FROM}
    worlds = [
        {"people": many, "graph": {"networkx": {"generator": "barabasi_albert_graph", "m": 2}}},
        {"people": many, "graph": {"engine": "networkx"}},
        {"people": {"count": NATIVE_FROM - 1}},
        {"people": many},
        {"people": {"count": 50}, "graph": {"engine": "native"}},
    ]
    before = keys()
    monkeypatch.setattr(store, "version", lambda name: "99.9")
    assert [old != new for old, new in zip(before, keys(), strict=True)] == [True, True, True, False, False]
    assert before[3] == key("digest", "tea", 7)


def test_a_key_depends_on_all_that_determines_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {key("a", "tea", 1), key("b", "tea", 1), key("a", "rice", 1), key("a", "tea", 2)}
    monkeypatch.setattr(store, "model", lambda: "another")
    assert len(names | {key("a", "tea", 1)}) == 5


def test_the_model_is_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "study").mkdir()
    (tmp_path / "people" / "buy.py").write_text("1", "utf-8")
    monkeypatch.setattr(store, "_PACKAGE", tmp_path)
    words = []
    for place, text in (("people/buy.py", "1"), ("study/x.py", "2"), ("people/buy.py", "3"), ("people/gift.py", "")):
        (tmp_path / place).write_text(text, "utf-8")
        words.append(model.__wrapped__())
    assert words[0] == words[1]
    assert len({*words[1:]}) == 3


def test_what_is_not_a_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine", "utf-8")
    with pytest.raises(StudyError, match="not a store of wxsim and not empty"):
        Store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_another_format_is_named_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / "store")
    marker = tmp_path / "store" / MARKER
    marker.write_text('{"wxsim": "store", "format": 99}', "utf-8")
    with pytest.raises(StudyError, match="a store of format 99, this wxsim writes 1"):
        Store(tmp_path / "store")
    assert "99" in marker.read_text("utf-8")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"wxsim": "run", "key": "other"}'])
def test_a_foreign_file_in_the_place_of_a_run_is_named(tmp_path: Path, content: str) -> None:
    kept, name = Store(tmp_path / "store"), key("digest", "tea", 7)
    kept.path(name).parent.mkdir()
    kept.path(name).write_text(content, "utf-8")
    with pytest.raises(StudyError, match="move it away"):
        kept.get(name)
    assert kept.path(name).read_text("utf-8") == content


def test_what_there_is_nothing_to_measure_of_is_null() -> None:
    assert numbers({"a": 1.5, "b": float("nan"), "c": float("inf")}) == {"a": 1.5, "b": None, "c": None}
