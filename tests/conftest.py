"""Tests are deterministic: hypothesis draws the same examples every time; `make check` looks at the first of them."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["LANGUAGE"] = "en"  # whatever whoever runs the tests speaks
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background by a shell: so would be our children
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.register_profile("quick", parent=settings.get_profile("deterministic"), max_examples=15)
settings.load_profile("deterministic")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where slow tests are left out, a file of nothing else is not imported: some need heavy libraries."""
    if collection_path.suffix == ".py" and "not slow" in config.option.markexpr:
        return "\npytestmark = pytest.mark.slow" in collection_path.read_text("utf-8") or None
    return None
