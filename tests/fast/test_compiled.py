"""How functions are compiled, and where machine code is kept."""

from pathlib import Path

import numpy as np
import pytest

from sim import fast
from sim.fast import compiled


def module(source: str, path: Path) -> dict:
    """The names that a module written to a file defines."""
    path.write_text(source, "utf-8")
    names: dict = {"compiled": compiled, "np": np, "__name__": path.stem}
    exec(compile(source, str(path), "exec"), names)
    return names


INNER = "@compiled\ndef inner(x):\n    return x + 1\n"
OUTER = "STEP = 10\n@compiled\ndef outer(x):\n    return inner(x) * STEP\n"


def test_a_compiled_function_computes(tmp_path: Path) -> None:
    outer = module(INNER + OUTER, tmp_path / "a.py")["outer"]
    assert outer(1) == outer.py_func(1) == 20


def test_division_by_zero_is_infinite_as_in_numpy(tmp_path: Path) -> None:
    ratio = module("@compiled\ndef ratio(x, y):\n    return x / y\n", tmp_path / "a.py")["ratio"]
    assert ratio(1.0, 0.0) == np.inf


@pytest.mark.parametrize(
    ("change", "new"),
    [
        (INNER + OUTER, False),
        (INNER.replace("x + 1", "x + 2") + OUTER, True),
        (INNER.replace("x + 1", "x - 1") + OUTER, True),
        (INNER + OUTER.replace("STEP = 10", "STEP = 11"), True),
    ],
)
def test_the_stamp_changes_with_anything_a_function_depends_on(change: str, new: bool, tmp_path: Path) -> None:
    before = module(INNER + OUTER, tmp_path / "a.py")["outer"]
    after = module(change, tmp_path / "b.py")["outer"]
    assert (after.stamp != before.stamp) is new


def test_what_is_compiled_with_a_function_is_defined_above_it(tmp_path: Path) -> None:
    with pytest.raises(NameError, match="'inner' must be defined above 'outer'"):
        module(OUTER + INNER, tmp_path / "a.py")


def test_code_is_kept_where_numba_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    double = module("@compiled\ndef double(x):\n    return x * 2\n", tmp_path / "a.py")["double"]
    assert double(3) == 6
    assert [path.parent.parent.name for path in (tmp_path / "kept").rglob("*.nbi")] == [double.stamp]
    assert str(tmp_path / "kept") == numba.config.CACHE_DIR


def test_where_nothing_can_be_written_it_works_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "_can_write", lambda folder: False)
    double = module("@compiled\ndef double(x):\n    return x * 2\n", tmp_path / "a.py")["double"]
    assert double(3) == 6
    assert not list(tmp_path.rglob("*.nbi"))


def test_a_folder_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not fast._can_write(tmp_path / "file" / "folder")
    assert fast._can_write(tmp_path / "folder")
