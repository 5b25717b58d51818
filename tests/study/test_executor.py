import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from sim.errors import StudyError
from sim.study.executor import SerialExecutor, processors, report, stream
from sim.words import _, speaking, spoken

pytestmark = pytest.mark.slow  # `make test` runs it

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

# What the workers do stands in a module that they can import by name.
WORK = """
    import os, signal, time
    from sim.study.executor import report, stream

    def gathered(work, units, **options):
        found = {}
        stream(work, units, **{"done": found.__setitem__, **options})
        return [found[index] for index in range(len(found))]

    def slow_first(unit):
        time.sleep(0.3 if unit == 0 else 0.0)
        report(10)
        return unit * unit

    def odd_fails(unit):
        if unit % 2:
            raise ValueError(f"{unit} is odd")
        return unit

    def three_kills(unit):
        if unit == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return unit

    def where(unit):
        return os.getpid()

    def hears_ctrl_c(unit):
        return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def forever(unit):
        if unit:
            os.write(1, b"waiting\\n")  # in one piece, whatever the others write
            time.sleep(600)
        return unit
"""


def script(tmp_path: Path, main: str) -> list[str]:
    """A program that defines the work and then does `main`."""
    (tmp_path / "work.py").write_text(textwrap.dedent(WORK))
    (tmp_path / "main.py").write_text(
        "from work import *\nif __name__ == '__main__':\n" + textwrap.indent(textwrap.dedent(main), "    ")
    )
    return [sys.executable, str(tmp_path / "main.py")]


def output(tmp_path: Path, main: str) -> str:
    done = subprocess.run(script(tmp_path, main), capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return done.stdout.strip()


def test_results_stand_at_their_index_whatever_arrives_first(tmp_path: Path) -> None:
    main = """
        told, order = [], []
        stream(slow_first, range(6), workers=2, told=told.append, done=lambda *found: order.append(found))
        print(sorted(order), order[0] != (0, 0), told[-1], told == sorted(told))
    """
    wanted = [(index, index * index) for index in range(6)]
    assert output(tmp_path, main) == f"{wanted} True 60 True"


def test_one_worker_gives_what_two_give() -> None:
    told: list[int] = []
    found: dict[int, int | Exception] = {}
    stream(lambda unit: unit + 1, range(4), told=told.append, done=found.__setitem__)
    assert found == {0: 1, 1: 2, 2: 3, 3: 4}
    assert told == []  # this work reports no steps


def test_failed_work_is_a_result_and_the_rest_goes_on(tmp_path: Path) -> None:
    main = "print([str(r) for r in gathered(odd_fails, range(5), workers=2)], gathered(odd_fails, range(2))[1:])"
    assert output(tmp_path, main) == "['0', '1 is odd', '2', '3 is odd', '4'] [ValueError('1 is odd')]"


def test_units_of_a_lane_are_done_by_one_worker_in_order(tmp_path: Path) -> None:
    main = """
        found = gathered(where, range(6), workers=2, lane=lambda unit: unit % 2)
        print(found[0] == found[2] == found[4] != found[1] == found[3] == found[5])
    """
    assert output(tmp_path, main) == "True"


def test_a_worker_that_dies_fails_its_own_unit_only(tmp_path: Path) -> None:
    main = "print([str(r) for r in gathered(three_kills, range(6), workers=2)])"
    wanted = ["0", "1", "2", "its process died again and again, perhaps for lack of memory", "4", "5"]
    assert output(tmp_path, main) == str(wanted)


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_ends_soon_and_keeps_what_is_done(tmp_path: Path, workers: int) -> None:
    main = f"""
        kept = []
        try:
            stream(forever, [0, 1, 2, 3], workers={workers}, done=lambda index, result: kept.append(result))
        except KeyboardInterrupt:
            print("kept", kept, flush=True)
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
    with subprocess.Popen(script(tmp_path, main), start_new_session=True, **pipes) as running:
        waiting = [running.stdout.readline() for _ in range(workers)]
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert waiting == ["waiting\n"] * workers
    assert out == "kept [0]\n"
    assert err == ""
    assert is_gone(running.pid)


def test_workers_leave_ctrl_c_to_their_parent_from_their_first_moment(tmp_path: Path) -> None:
    main = "print(gathered(hears_ctrl_c, [0, 1], workers=2), hears_ctrl_c(2))"
    assert output(tmp_path, main) == "[False, False] True"


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        script(tmp_path, "gathered(forever, [1, 2], workers=2)"),
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as running:
        assert [running.stdout.readline() for _ in range(2)] == ["waiting\n"] * 2
        running.kill()
    assert is_gone(running.pid)


def is_gone(group: int, seconds: float = 10.0) -> bool:
    """Whether every process of a group ends within some seconds (multiprocessing's tracker ends after its parent)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_serial_executor_is_an_executor() -> None:
    with SerialExecutor() as here:
        assert here.submit(divmod, 7, 2).result() == (3, 1)
        assert list(here.map(abs, [-1, 2])) == [1, 2]
        assert isinstance(here.submit(divmod, 1, 0).exception(), ZeroDivisionError)


def refuse(unit: str) -> str:
    report(1)
    raise StudyError(_("unknown") + f" {unit}, {spoken()}")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_work_speaks_english_and_who_asked_for_it_her_own_language(workers: int) -> None:
    """Errors of runs are kept in files for programs, whoever does them and wherever."""
    errors, heard = {}, []
    with speaking("zh"):
        stream(refuse, "ab", workers=workers, done=errors.__setitem__, told=lambda steps: heard.append(spoken()))
    assert {index: str(error) for index, error in errors.items()} == {0: "unknown a, en", 1: "unknown b, en"}
    assert set(heard) == {"zh"}


def test_no_worker_is_refused() -> None:
    with pytest.raises(StudyError, match="0 workers"):
        stream(abs, [1], workers=0, done=lambda index, found: None)


def test_processors_counts_at_least_this_one() -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)


def test_what_is_to_be_done_apart_is_never_done_here() -> None:
    found: dict[int, object] = {}
    stream(eval, ["__import__('os').getpid()"], workers=1, done=found.__setitem__, apart=True)
    assert isinstance(found[0], int)
    assert found[0] != os.getpid()
