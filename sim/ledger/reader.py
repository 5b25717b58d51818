"""A finished ledger, to be read as Arrow tables or asked in SQL."""

import difflib
import json
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.draws import purpose
from sim.errors import LedgerError
from sim.ledger.digest import Digest, row_hashes
from sim.ledger.parquet import MANIFEST, SCHEMAS, TABLES, TEXT, VERSION, part_paths
from sim.units import DAY, U64, Array

IN_MEMORY_ROWS = 4_000_000  # tables up to this size are held in memory by the first question that needs them


class Ledger:
    """One run's folder. Tables are read when asked for; `ledger.events.to_pandas()` works where pandas is installed."""

    def __init__(self, folder: Path | str, *, memory_limit: str = "2GB") -> None:
        """Open a finished run; raises `LedgerError` if it is missing, incomplete or of another version."""
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = _manifest(self.folder)
        self._memory_limit = memory_limit

    @cached_property
    def events(self) -> pa.Table:
        """Everything that happened, in the order (tick, time, event id)."""
        return self._read("events")

    @cached_property
    def postings(self) -> pa.Table:
        """Every move of fen, coupons and points."""
        return self._read("postings")

    @cached_property
    def stock(self) -> pa.Table:
        """Every move of pieces."""
        return self._read("stock")

    @cached_property
    def daily(self) -> pa.Table:
        """Counts by day, kind, merchant and channel."""
        return self._read("daily")

    def query(self, sql: str, **params: Any) -> pa.Table:
        """Ask in SQL (DuckDB's dialect) of the views events, postings, stock and daily; `$name` is a parameter."""
        try:
            return self.connection.execute(sql, params or None).to_arrow_table()
        except duckdb.Error as error:
            raise LedgerError(f"{self.folder}: the question cannot be answered: {error}") from error

    def one(self, sql: str, **params: Any) -> tuple[Any, ...]:
        """The first row of an answer as plain values."""
        try:
            row = self.connection.execute(sql, params or None).fetchone()
        except duckdb.Error as error:
            raise LedgerError(f"{self.folder}: the question cannot be answered: {error}") from error
        if row is None:
            raise LedgerError(f"{self.folder}: the question has no answer: {sql}")
        return tuple(row)

    def digest(self) -> Digest:
        """The fingerprint, computed again from the files."""
        digest = Digest()
        details = {kind for kind, detail in self.manifest["kinds"].items() if detail}
        for table in ("events", "postings", "stock"):
            for path in part_paths(self.folder, table):
                _add_part(digest, table, pq.read_table(path, schema=SCHEMAS[table]), details)
        return digest

    def merchant(self, name: str) -> int:
        """The number of a merchant by its name."""
        names = self.manifest["merchants"]
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names)}"
            raise LedgerError(f"{self.folder}: no merchant {name!r}; {hint}")
        return int(names.index(name))

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB that may read this ledger's files and nothing else."""
        config = {
            "threads": 1,
            "memory_limit": self._memory_limit,
            "temp_directory": str(Path(tempfile.gettempdir()) / "wxsim-duckdb"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        connection = duckdb.connect(":memory:", config=config)
        for table in TABLES:
            paths = part_paths(self.folder, table)
            rows = sum(pq.read_metadata(path).num_rows for path in paths)
            connection.execute(_definition(table, paths, rows))
        return connection

    def _read(self, table: str) -> pa.Table:
        paths = part_paths(self.folder, table)
        if not paths:
            return SCHEMAS[table].empty_table()
        return pa.concat_tables([pq.read_table(path, schema=SCHEMAS[table]) for path in paths]).unify_dictionaries()
