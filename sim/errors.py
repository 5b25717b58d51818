"""Every error that wxsim raises on purpose.

::

    WxsimError
    ├── ScenarioError     a scenario file is wrong; holds every fault, each with its place
    ├── LedgerError       a run folder is missing, incomplete or written by another version
    ├── ConservationError an effect would create or destroy money, stock, coupons or points
    ├── ContractError     a mechanism broke the contract (a bug in the mechanism, not in the scenario)
    ├── StudyError        a comparison or study cannot be done as asked
    └── RunStopped        somebody asked a run to end early (no fault at all)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.words import _, marked

SYSTEM = (  # why systems refuse, in their words
    *(marked("No such file or directory"), marked("Permission denied"), marked("Is a directory")),
    *(marked("Not a directory"), marked("File exists"), marked("Read-only file system")),
    *(marked("No space left on device"), marked("File name too long")),
)


class WxsimError(Exception):
    """Base of all errors raised on purpose; its message is written for the user."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a scenario file: its place, what is wrong and what to write instead."""

    file: str
    line: int
    column: int
    where: str  # dotted path in the file, "" for the file itself
    wrong: str
    instead: str = ""

    def __str__(self) -> str:
        said = _("{where}: {wrong}", where=self.where, wrong=self.wrong) if self.where else self.wrong
        said = _("{wrong}; {instead}", wrong=said, instead=self.instead) if self.instead else said
        return f"{self.file}:{self.line}:{self.column}: {said}"


def reason(error: OSError) -> str:
    """Why the system refused something."""
    return _(error.strerror or str(error))


class ScenarioError(WxsimError):
    """A scenario cannot be used; `faults` holds every fault found, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[tuple[Fault, ...]]]:
        return (type(self), (self.faults,))


class LedgerError(WxsimError):
    """A run folder cannot be read."""


class ConservationError(WxsimError):
    """An effect would break a conservation law."""


class ContractError(WxsimError):
    """A mechanism returned something that the contract forbids."""


class StudyError(WxsimError):
    """A comparison or study cannot be done as asked."""


class RunStopped(WxsimError):  # noqa: N818 (nothing is wrong)
    """Raised by whoever is told of a run's progress, to end it after that day with its whole days written."""
