"""Executors beyond this process's own pool: Dask's, here or by the address of a scheduler, and MPI's.

Each block gives what opens an executor, as `sim.study.executor.stream` asks for it, and how many workers it has.
Workers need the same wxsim, and nothing else in common: runs come back over the wire.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from sim.errors import StudyError
from sim.study.executor import deaf, processors, said
from sim.words import _

LOCAL = "local"
PATIENCE_SECONDS = 3  # for a scheduler to answer
Pool = tuple[Callable[[], Executor], int]


@contextmanager
def dask(address: str, workers: int | None = None, say: Callable[[str], None] = lambda line: None) -> Iterator[Pool]:
    """The workers of a Dask cluster; `local`: so many on this machine alone, seen by nobody else, while it lasts.

    The dashboard's address goes to `say`. StudyError if Dask is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise StudyError(_('--dask needs Dask; install it by: pip install "wxsim[cluster]"')) from None
    with ExitStack() as opened:
        if address == LOCAL:
            at = opened.enter_context(_local(workers or processors()))
        else:
            at = address
            _knock(address)
        client = opened.enter_context(Client(at, timeout=PATIENCE_SECONDS, set_as_default=False))
        say(_("dashboard: {link}", link=_dashboard(client.dashboard_link)))

        def executor() -> Executor:
            if client.status != "running":
                raise StudyError(
                    _(
                        "--dask {address}: its scheduler is gone; what is done is kept, do it again to go on",
                        address=address,
                    )
                )
            made: Executor = client.get_executor(pure=False)
            return made

        yield executor, max(1, sum(client.nthreads().values()))


def _knock(address: str) -> None:
    """StudyError unless a scheduler answers in time; `Client` waits for ever where somebody listens in silence."""
    from distributed import Security
    from distributed.core import rpc

    async def answer() -> None:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
            await scheduler.identity()

    try:
        asyncio.run(asyncio.wait_for(answer(), PATIENCE_SECONDS))
    except (OSError, ValueError) as error:
        told = " ".join(str(error).split()) or f"silence for {PATIENCE_SECONDS} s"
        raise StudyError(
            _(
                "--dask {address}: no Dask scheduler answers there ({told}); name one such as tcp://HOST:8786, or "
                "`{local}` for this machine; nothing was changed",
                address=address,
                told=told,
                local=LOCAL,
            )
        ) from None


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A cluster of processes on this machine's own address, one thread each."""
    from distributed import LocalCluster

    try:
        with deaf():
            made = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=None,
                silence_logs=logging.CRITICAL,  # its tracebacks; what matters is raised
            )
    except Exception as error:  # whatever distributed and tornado raise when a worker dies while it starts
        raise StudyError(
            _(
                "--dask {local}: its workers could not be started ({said}); what is done is kept, do it again to go on",
                local=LOCAL,
                said=said(error),
            )
        ) from None
    with made:
        yield made


def _dashboard(link: str) -> str:
    """The page to look at: without Bokeh, Dask has none but the list of its workers."""
    return link if find_spec("bokeh") else link.removesuffix("/status") + "/info/main/workers.html"


@contextmanager
def mpi(workers: int | None = None) -> Iterator[Pool]:
    """The ranks of an MPI job, or so many workers that MPI spawns. StudyError if mpi4py or MPI is missing."""
    try:
        from mpi4py import MPI
        from mpi4py.futures import MPIPoolExecutor
    except (ImportError, RuntimeError, OSError) as error:
        raise StudyError(
            _(
                "--mpi needs mpi4py and an MPI library ({error}); pip install mpi4py, then: mpiexec -n 9 python -m "
                "mpi4py.futures -m sim.cli sweep STUDY --mpi",
                error=error,
            )
        ) from None
    count = (MPI.COMM_WORLD.Get_size() - 1) or workers or processors()
    yield lambda: MPIPoolExecutor(count), count
