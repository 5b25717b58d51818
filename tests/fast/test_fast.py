import subprocess
import sys
from pathlib import Path

import pytest

from sim import fast

ROOT = Path(__file__).parents[2]


def said(script: str, path: Path | None = None, **environment: str) -> str:
    """What a script prints in a new interpreter; modules in `path` come first."""
    where = f"import sys; sys.path.insert(0, {str(path)!r})\n" if path else ""
    done = subprocess.run(
        [sys.executable, "-c", where + script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        env={"PATH": "", "PYTHONPATH": str(ROOT), **environment},
    )
    return (done.stdout + done.stderr).strip()


DRAW = "from sim import draws, fast; draws.keys(1, 'user', 200_000); print(fast.present)"


def test_a_switch_turns_it_off() -> None:
    script = DRAW + "; import sys; print('numba' in sys.modules)"
    assert said(script, WXSIM_FAST="0").split() == ["False", "False"]


def test_without_numba_it_is_off(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ModuleNotFoundError('no numba', name='numba')\n", "utf-8")
    assert said(DRAW, tmp_path) == "False"


def test_a_broken_numba_is_told_of_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 1.0')\n", "utf-8")
    out = said(DRAW, tmp_path)
    assert "Numba needs NumPy 1.0" in out
    assert out.splitlines()[0] == "False"


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        fast.nothing  # noqa: B018


@pytest.mark.slow
def test_numba_is_started_by_many_rows_only_and_then_serves_all() -> None:
    few = "draws.uniform('a', draws.keys(1, 'user', 9)); print('numba' in sys.modules, fast.on(1))"
    many = "draws.keys(1, 'user', fast.WORTH)"
    answers = said(f"import sys; from sim import draws, fast; {few}; {many}; {few}").split()
    assert answers == ["False", "False", str(fast.present), str(fast.present)]


@pytest.mark.slow
def test_numba_is_started_once_small_calls_would_have_paid_for_it() -> None:
    few = "draws.uniform('a', draws.keys(1, 'user', 9)); print('numba' in sys.modules, fast.on(1))"
    many = "[fast.on(1) for _ in range(fast.ENOUGH // fast.PER_CALL)]"
    answers = said(f"import sys; from sim import draws, fast; {few}; {many}; {few}").split()
    assert answers == ["False", "False", str(fast.present), str(fast.present)]


def test_loading_a_module_imports_no_numba() -> None:
    script = "import sys, sim.draws, sim.kernels.expand, sim.world.build; print('numba' in sys.modules)"
    assert said(script) == "False"
