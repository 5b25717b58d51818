"""The files of a ledger: their columns as Arrow types, and parts that are written whole or not at all.

Text columns (kind, channel, account, currency) are dictionary-encoded codes; code -1 is null.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.errors import LedgerError
from sim.ledger.schema import ACCOUNTS, COLUMNS, CURRENCIES, POSTING_COLUMNS
from sim.units import Array
from sim.words import _

VERSION = 1  # of this layout; a reader refuses any other
MANIFEST = "run.json"
TEXT = pa.dictionary(pa.int16(), pa.string())
ACCOUNT_NAMES = tuple(sorted(ACCOUNTS, key=lambda name: ACCOUNTS[name].code))

DELTA = ("time", "tick", "day")  # rising, or nearly so
PLAIN = ("event", "cause", "user", "peer", "amount", "detail")  # too many values for a dictionary to pay

_MOVES = [(name, pa.from_numpy_dtype(dtype)) for name, (dtype, _) in POSTING_COLUMNS.items()]
_EVENT = [(name, pa.from_numpy_dtype(dtype)) for name, (dtype, _) in COLUMNS.items()]
_SUMS = [(name, pa.int64()) for name in ("count", "quantity", "amount")]


def _textual(fields: list[tuple[str, pa.DataType]], *names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, TEXT if name in names else kind) for name, kind in fields]


SCHEMAS: Mapping[str, pa.Schema] = {
    "events": pa.schema([_EVENT[0], ("tick", pa.int32()), ("kind", TEXT), *_textual(_EVENT[1:], "channel")]),
    "postings": pa.schema([*_MOVES[:2], ("currency", TEXT), *_textual(_MOVES[2:], "source", "target")]),
    "stock": pa.schema([*_MOVES[:2], ("currency", TEXT), *_textual(_MOVES[2:], "source", "target")]),
    "daily": pa.schema([("day", pa.int32()), ("kind", TEXT), ("merchant", pa.int32()), ("channel", TEXT), *_SUMS]),
}
TABLES = tuple(SCHEMAS)


def text_names(kinds: Sequence[str], channels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The names behind the codes of every text column."""
    accounts = {"currency": CURRENCIES, "source": ACCOUNT_NAMES, "target": ACCOUNT_NAMES}
    return {"kind": tuple(kinds), "channel": tuple(channels), **accounts}


def to_arrow(table: str, columns: Mapping[str, Array], names: Mapping[str, Sequence[str]]) -> pa.Table:
    """Arrays (text columns as codes) as an Arrow table of the table's schema."""
    arrays = []
    for field in SCHEMAS[table]:
        values = columns[field.name]
        if field.type == TEXT:
            codes = pa.array(values.astype(np.int16), mask=values < 0)
            arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array(names[field.name], pa.string())))
        else:
            arrays.append(pa.array(values.astype(field.type.to_pandas_dtype(), copy=False)))
    return pa.Table.from_arrays(arrays, schema=SCHEMAS[table])


def write_whole(path: Path, table: pa.Table) -> None:
    """Write a Parquet file under a temporary name, bring it to disk, then give it its name."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in table.column_names if name not in DELTA and name not in PLAIN],
            column_encoding={name: "DELTA_BINARY_PACKED" for name in DELTA if name in table.column_names},
            write_statistics=["time"] if "time" in table.column_names else False,
        )
        sync(file.fileno())
    rename(temporary, path)


def sync(descriptor: int) -> None:
    """Bring a file to disk."""
    os.fsync(descriptor)


def rename(temporary: Path, path: Path) -> None:
    """Give a finished file its name, and bring the folder to disk."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def part_paths(folder: Path, table: str) -> list[Path]:
    """The finished files of a table, in order."""
    if table == "daily":
        return [path for path in (folder / "daily.parquet",) if path.exists()]
    return sorted((folder / table).glob("part-*.parquet"))


def part_rows(path: Path, table: str) -> int:
    """How many rows a part has; LedgerError if it is damaged or not a part of this table."""
    with _told(path):
        metadata = pq.read_metadata(path)
        names = metadata.schema.to_arrow_schema().names
    if names != SCHEMAS[table].names:
        raise LedgerError(
            _("{path}: does not have the columns of {table}; run the scenario again", path=path, table=table)
        )
    return int(metadata.num_rows)


def read_part(path: Path, table: str) -> pa.Table:
    """A part of a table; LedgerError if it is damaged or not a part of this table."""
    part_rows(path, table)
    with _told(path):
        return pq.read_table(path, schema=SCHEMAS[table])


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise LedgerError(
            _(
                "{path}: is damaged, or not a part of a ledger: {error}",
                path=path,
                error=str(error).splitlines()[0],
            )
        ) from error
