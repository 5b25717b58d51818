import subprocess
import sys
from pathlib import Path

import pytest

import sim

PUBLIC = [
    "Comparison",
    "Ledger",
    "METRICS",
    "Metric",
    "Results",
    "Scenario",
    "ScenarioError",
    "SocialGraph",
    "World",
    "WxsimError",
    "__version__",
    "audit",
    "build_world",
    "compare",
    "diffusion",
    "genealogy",
    "load",
    "results",
    "run",
]


def test_public_names_are_these() -> None:
    assert sorted(sim.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(sim))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_what_its_home_defines(name: str) -> None:
    value = getattr(sim, name)
    if callable(value):
        assert value.__module__.startswith("sim.")
        assert value.__doc__


@pytest.mark.slow
def test_run_is_the_function_even_after_its_module_was_imported() -> None:
    script = "import sim.run, sim.study.compare; from sim import run; assert run is sim.run; print(run.__module__)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "sim.run"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        sim.nothing  # noqa: B018
