"""One comparison of a small town for all tests of reports, and what is told of it."""

from pathlib import Path

import pytest

from sim.report.material import Material, read
from sim.report.page import Report, report
from tests.report.town import compared


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the comparison."""
    return compared(tmp_path_factory.mktemp("town")).folder


@pytest.fixture(scope="session")
def material(found: Path) -> Material:
    return read(found)


@pytest.fixture(scope="session")
def made(material: Material) -> Report:
    return report(material)
