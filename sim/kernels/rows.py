"""What kernels ask of a table of rows, so that they need not know its schema."""

from collections.abc import Mapping
from typing import Protocol, Self

from sim.units import Array


class Rows(Protocol):
    """Rows with a time, an event id and a user, as a struct of arrays; `sim.ledger.schema.Records` is one."""

    n: int

    @property
    def time(self) -> Array:
        """Seconds since the scenario's start, shape (n,)."""

    @property
    def event(self) -> Array:
        """Event ids, shape (n,)."""

    @property
    def user(self) -> Array:
        """Users, shape (n,)."""

    def take(self, index: Array | slice) -> Self:
        """The rows at these positions."""

    def whole(self) -> Self:
        """The same rows, independent of the table that they were taken from."""

    def columns(self) -> Mapping[str, Array]:
        """Every column, in schema order."""

    def given(self, name: str) -> bool:
        """Whether a column may hold anything but its default."""
