"""Executors of a cluster: what cannot be reached or is not installed is told in a line."""

import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import StudyError
from sim.study import cluster
from tests.study.test_sweep import study


@pytest.fixture
def silent() -> str:
    """An address at which somebody listens and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.slow
def test_an_address_that_answers_nothing_is_told_in_a_line_and_soon(tmp_path, monkeypatch, silent: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = study(tmp_path / "mine")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
    for address in (refused, silent, "no address"):
        begun = time.monotonic()
        said = CliRunner().invoke(app, ["sweep", str(path), "--dask", address])
        assert time.monotonic() - begun < cluster.PATIENCE_SECONDS + 3
        assert said.exit_code == 2
        assert f"--dask {address}: no Dask scheduler answers there" in said.output
        assert len(said.output.splitlines()) == 1
        assert not (tmp_path / "runs" / "mine-study").exists()


@pytest.mark.parametrize(("package", "option"), [("distributed", ("--dask", "local")), ("mpi4py", ("--mpi",))])
def test_what_is_not_installed_is_told_in_a_line(tmp_path, monkeypatch, package: str, option: tuple[str, ...]) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["sweep", str(study(tmp_path / "mine")), *option])
    assert said.exit_code == 2
    assert f"{option[0]} needs" in said.output and "pip install" in said.output
    assert len(said.output.splitlines()) == 1


def test_dask_or_mpi_but_not_both(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["sweep", str(study(tmp_path / "mine")), "--dask", "local", "--mpi"])
    assert said.exit_code == 2 and "not both" in said.output


@pytest.mark.parametrize(("ranks", "asked", "count"), [(9, None, 8), (1, 3, 3), (9, 3, 8)])
def test_mpi_gives_the_ranks_of_its_job_or_as_many_as_asked(monkeypatch, ranks: int, asked: int, count: int) -> None:
    mpi4py, futures = ModuleType("mpi4py"), ModuleType("mpi4py.futures")
    mpi4py.MPI = SimpleNamespace(COMM_WORLD=SimpleNamespace(Get_size=lambda: ranks))
    futures.MPIPoolExecutor = ThreadPoolExecutor
    monkeypatch.setitem(sys.modules, "mpi4py", mpi4py)
    monkeypatch.setitem(sys.modules, "mpi4py.futures", futures)
    with cluster.mpi(asked) as (pool, many), pool() as opened:
        assert (many, opened.submit(divmod, 7, 2).result()) == (count, (3, 1))


@pytest.mark.slow
def test_a_scheduler_that_is_gone_is_an_error_of_its_own() -> None:
    from distributed import LocalCluster

    with LocalCluster(1, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as made:  # noqa: SIM117
        with cluster.dask(made.scheduler_address) as (pool, count):
            assert count >= 1
            with pool() as opened:
                assert opened.submit(os.path.basename, "a/b").result() == "b"
            made.close()
            with pytest.raises(StudyError, match="its scheduler is gone"):
                for _ in range(100):
                    pool().shutdown(wait=False)
                    time.sleep(0.1)


@pytest.mark.slow
def test_a_local_cluster_that_cannot_start_is_told_in_a_line(tmp_path, monkeypatch) -> None:
    def dies(**options: object) -> None:
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr("distributed.LocalCluster", dies)
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["sweep", str(study(tmp_path / "mine")), "--dask", "local"])
    assert said.exit_code == 2
    assert "could not be started (RuntimeError: Nanny failed to start.)" in said.output
    assert len(said.output.splitlines()) == 1
