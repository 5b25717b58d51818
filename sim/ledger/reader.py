"""A finished ledger, to be read as Arrow tables or asked in SQL."""

import difflib
import json
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from sim.errors import LedgerError
from sim.ledger.digest import Digest, name_hashes, row_hashes
from sim.ledger.parquet import MANIFEST, SCHEMAS, TABLES, TEXT, VERSION, part_paths, part_rows, read_part
from sim.units import DAY, U64, Array
from sim.words import _

_PARAMETER = re.compile(r"\$(\w+)")
_FACTS = frozenset({"digest", "everything", "kinds", "merchants", "scenario", "seed", "strategy"})  # that a run states
IN_MEMORY_ROWS = 4_000_000  # a table up to this size is held in memory from the first question that needs it


class Ledger:
    """What one run wrote: its folder, to be read as tables or asked in SQL.

    ::

        ledger = sim.Ledger("runs/triangle-seed-7")
        ledger.manifest["digest"]["total"]
        ledger.rows("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind")

    Tables (`events`, `postings`, `stock`, `daily`) are Arrow's and are read when asked for; `ledger.events.to_pandas()`
    works where pandas is installed. A question that needs more memory than `memory_limit` spills to the disk. A
    `temporary` folder is removed with the ledger, at the latest when Python ends. Raises LedgerError if the run is
    missing, incomplete or of another version.
    """

    def __init__(self, folder: Path | str, *, memory_limit: str = "2GB", temporary: bool = False) -> None:
        self.folder = Path(folder)
        if temporary:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.manifest: dict[str, Any] = _manifest(self.folder)
        self._memory_limit = memory_limit
        self._asked: set[str] = set()

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
        """Ask in SQL (DuckDB's dialect) of events, postings, stock and daily; `$name` in it is a parameter.

        Parameters that the question does not name are left out.
        """
        with self._translated():
            return self._cursor(sql).sql(sql, params=_named(sql, params)).to_arrow_table()

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """An answer as plain values."""
        with self._translated():
            return self._cursor(sql).execute(sql, _named(sql, params)).fetchall()

    def digest(self) -> Digest:
        """The fingerprint, computed again from the files."""
        digest = Digest()
        details = {kind for kind, detail in self.manifest["kinds"].items() if detail}
        for table in ("events", "postings", "stock"):
            for path in part_paths(self.folder, table):
                _digest_part(digest, table, read_part(path, table), details)
        return digest

    def counts_digest(self) -> Digest:
        """The fingerprint of the daily counts, computed again from their file."""
        digest = Digest()
        for path in part_paths(self.folder, "daily"):
            _digest_part(digest, "daily", read_part(path, "daily"), set())
        return digest

    def merchant(self, name: str) -> int:
        """The number of a merchant by its name."""
        names: list[str] = self.manifest["merchants"]
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = _("there are {names}", names=", ".join(names))
            hint = _("did you mean {word!r}?", word=close[0]) if close else hint
            raise LedgerError(_("{folder}: no merchant {name!r}; {hint}", folder=self.folder, name=name, hint=hint))
        return names.index(name)

    def close(self) -> None:
        """Free what questions hold in memory; a later question opens it again."""
        if "_connection" in self.__dict__:
            self._connection.close()
            del self.__dict__["_connection"]
            self._asked.clear()

    # ------------------------------------------------------------------------------------------------------------

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB on one thread that may read this ledger's files and no others."""
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": self._memory_limit,
                "temp_directory": str(Path(tempfile.gettempdir()) / f"wxsim-duckdb-{os.getpid()}"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        files = [str(path) for table in TABLES for path in part_paths(self.folder, table)]
        connection.execute("SET allowed_paths = $files", {"files": files})
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def _cursor(self, sql: str) -> duckdb.DuckDBPyConnection:
        """A cursor that knows the tables of the question."""
        for table in TABLES:
            if table not in self._asked and table in sql:
                self._offer(table)
        return self._connection.cursor()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, RuntimeError) as error:
            if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":
                raise KeyboardInterrupt from None  # as which it came; DuckDB looks for signals, too
            if not isinstance(error, duckdb.Error):
                raise
            raise LedgerError(
                _("{folder}: cannot answer the question: {error}", folder=self.folder, error=error)
            ) from error

    def _offer(self, table: str) -> None:
        """Make a table known to DuckDB: copied to memory if it is small, else a view of its files."""
        self._asked.add(table)
        paths = part_paths(self.folder, table)
        if not paths:
            self._connection.from_arrow(SCHEMAS[table].empty_table()).create(table)
            return
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        small = sum(part_rows(path, table) for path in paths) <= IN_MEMORY_ROWS
        self._connection.execute(f"CREATE {'TABLE' if small else 'VIEW'} {table} AS FROM read_parquet([{files}])")

    def _read(self, table: str) -> pa.Table:
        paths = part_paths(self.folder, table)
        if not paths:
            return SCHEMAS[table].empty_table()
        return pa.concat_tables([read_part(path, table) for path in paths])


def _named(sql: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters that a question names."""
    return {name: params[name] for name in _PARAMETER.findall(sql) if name in params}


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        wrong = _("is a file") if folder.exists() else _("there is no such folder")
        raise LedgerError(
            _("{folder}: {wrong}; a run is a folder with a {manifest}", folder=folder, wrong=wrong, manifest=MANIFEST)
        )
    path = folder / MANIFEST
    if below := sorted(folder.glob(f"runs/*/*/{MANIFEST}")):
        raise LedgerError(
            _(
                "{folder}: is a comparison; name one of its runs, such as {parent}",
                folder=folder,
                parent=below[0].parent,
            )
        )
    if not path.exists():
        raise LedgerError(
            _(
                "{folder}: has no {manifest}: it is not a run, or the run was interrupted; run it again",
                folder=folder,
                manifest=MANIFEST,
            )
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LedgerError(_("{path}: is not readable as JSON: {error}", path=path, error=error)) from error
    found = manifest.get("ledger") if isinstance(manifest, dict) else None
    if found != VERSION:
        raise LedgerError(
            _(
                "{path}: is of ledger version {found}, this wxsim reads {version}; run the scenario again",
                path=path,
                found=found,
                version=VERSION,
            )
        )
    if missing := sorted(_FACTS - manifest.keys()):
        raise LedgerError(
            _("{path}: does not say {missing}; run the scenario again", path=path, missing=", ".join(missing))
        )
    return dict(manifest)


def _digest_part(digest: Digest, table: str, part: pa.Table, details: set[str]) -> None:
    """Take in the rows of a part, except details."""
    columns: dict[str, Array] = {}
    names: dict[str, U64] = {}
    keep = np.ones(part.num_rows, np.bool_)
    for field in part.schema:
        column = part[field.name].combine_chunks()
        if field.type != TEXT:
            columns[field.name] = column.to_numpy()
            continue
        words = column.dictionary.to_pylist()
        columns[field.name] = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        names[field.name] = name_hashes(words)
        if field.name == "kind":
            keep = ~np.array([*(word in details for word in words), False])[columns["kind"]]
    hashes = row_hashes(table, columns, names)
    day = columns["day"] if table == "daily" else columns["time"] // DAY
    digest.add(day[keep], hashes[keep])
