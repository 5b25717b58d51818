"""The ledger is written here: worlds that ran side by side come apart, each into its own folder, as if it ran alone."""

import difflib
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import ContractError, LedgerError
from sim.ledger.daily import DailyCounts
from sim.ledger.digest import Digest, name_hashes, row_hashes
from sim.ledger.parquet import (
    ACCOUNT_NAMES,
    MANIFEST,
    SCHEMAS,
    VERSION,
    rename,
    sync,
    text_names,
    to_arrow,
    write_whole,
)
from sim.ledger.schema import ACCOUNTS, CURRENCIES, Postings, Records
from sim.ledger.stream import Stream
from sim.units import NOBODY, Array
from sim.words import _

BLOCK_ROWS = 1 << 18  # rows are sorted and split in blocks: numpy's price per call is paid once a block
SMALLEST_PART = 1 << 16
_NUMBERS = {"user": "user", "peer": "user", "merchant": "merchant", "product": "product", "variant": "variant"}


class LedgerWriter:
    """Writes the ledgers of W stacked worlds into W folders.

    Rows come with stacked numbers (world w owns users [w·n, (w+1)·n), likewise merchants, products, variants) and are
    written with local ones. Rows are kept, not copied, until their block is written: do not change their arrays.
    Memory: about 72 bytes a row for up to `part_rows` rows over all worlds (at least 65,536 per world).
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        kinds: Mapping[str, bool],  # every kind, and whether it is a detail
        channels: Sequence[str],  # names by code
        merchants: Sequence[str],  # names of one world's merchants
        products: Sequence[str],
        users: int,  # per world
        variants: int,  # per world
        everything: bool = False,  # write details too
        part_rows: int = 1 << 18,
    ) -> None:
        self._folders = [Path(folder) for folder in folders]
        for folder in self._folders:
            _clear(folder)
        self._kinds = dict(kinds)
        self._code = {kind: code for code, kind in enumerate(kinds)}
        self._detail = np.array([*kinds.values()], np.bool_)
        self._everything = everything
        self._facts = {
            "users": users,
            "variants": variants,
            "merchants": list(merchants),
            "products": list(products),
            "channels": list(channels),
            "kinds": self._kinds,
            "everything": everything,
        }
        self._size = {"user": users, "merchant": len(merchants), "product": len(products), "variant": variants}
        self._owner_size = np.array([self._size.get(ACCOUNTS[name].owner, 0) for name in ACCOUNT_NAMES], np.int64)
        names = self._names = text_names([*kinds], channels)
        self._digests = [Digest() for _ in folders]
        rows = part_rows if len(self._folders) == 1 else max(part_rows // len(self._folders), SMALLEST_PART)
        self._streams = {
            table: Stream(table, self._folders, self._digests, names, rows) for table in ("events", "postings", "stock")
        }
        self._daily = DailyCounts(len(self._folders), len(merchants), len(channels))
        self._events: list[tuple[int, int, Records]] = []
        self._counts: list[tuple[int, Records]] = []
        self._postings: list[tuple[int, int, Postings]] = []
        self._waiting = 0
        self._tick = 0

    def events(self, kind: str, rows: Records, tick: int, written: Array | None = None) -> None:
        """Count rows by day, merchant and channel, and write them down.

        Details are written only if everything is recorded, or where `written` is true.
        """
        if not rows.n:
            return
        code = self._kind(kind)
        self._advance(tick, rows.n)
        self._counts.append((code, rows))
        if self._everything or not self._kinds[kind]:
            self._events.append((code, tick, rows))
        elif written is not None and written.any():
            self._events.append((code, tick, rows.take(written)))

    def postings(self, currency: str, rows: Postings, tick: int) -> None:
        """Write moves of a currency down, each in the world of its owners."""
        if rows.n:
            self._advance(tick, rows.n)
            self._postings.append((CURRENCIES.index(currency), tick, rows))

    def close(
        self,
        *,
        scenario: Mapping[str, Any],
        strategy: str,
        seeds: Sequence[int],
        days: int,
        extra: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Write what is left, then each world's `run.json` (last: a folder without it is incomplete).

        `scenario` is the resolved scenario as plain data; `days` the horizon; `extra` more facts for the manifest.
        None of them may hold today's date or a path, so that a re-run gives the same bytes. Returns the digests.
        """
        self._write_block()
        for stream in self._streams.values():
            stream.close()
        tables = self._daily.tables(self._names["kind"])
        for world, folder in enumerate(self._folders):
            write_whole(folder / "daily.parquet", to_arrow("daily", tables[world], self._names))
            digest = self._digests[world]
            manifest = {
                "ledger": VERSION,
                "strategy": strategy,
                "seed": int(seeds[world]),
                "days": days,
                **self._facts,
                "counts": {table: stream.parts[world].rows for table, stream in self._streams.items()},
                "digest": {
                    "total": digest.total(),
                    "days": digest.days(),
                    "daily": self._counted(tables[world]).days(),
                },
                "versions": _versions(),
                **(extra or {}),
                "scenario": scenario,
            }
            _write_manifest(folder, manifest)
        return [digest.total() for digest in self._digests]

    # ------------------------------------------------------------------------------------------------------------

    def _counted(self, daily: Mapping[str, Array]) -> Digest:
        """The fingerprint of a world's daily counts."""
        columns = {name: daily[name] for name in SCHEMAS["daily"].names}
        digest = Digest()
        names = {name: name_hashes(self._names[name]) for name in ("kind", "channel")}
        digest.add(columns["day"], row_hashes("daily", columns, names))
        return digest

    def _kind(self, kind: str) -> int:
        code = self._code.get(kind)
        if code is None:
            close = difflib.get_close_matches(kind, self._code, 1)
            hint = f"did you mean {close[0]!r}?" if close else "add it to the mechanism's `kinds`"
            raise ContractError(f"no mechanism declares the kind {kind!r}; {hint}")
        return code

    def _advance(self, tick: int, rows: int) -> None:
        """Begin a tick: a full block of whole ticks is written first."""
        if tick != self._tick and self._waiting >= BLOCK_ROWS:
            self._write_block()
        self._tick = tick
        self._waiting += rows

    def _write_block(self) -> None:
        self._write_counts()
        self._write_events()
        self._write_postings()
        self._waiting = 0

    def _write_counts(self) -> None:
        by_kind: dict[int, list[Records]] = {}
        for code, rows in self._counts:
            by_kind.setdefault(code, []).append(rows)
        self._counts = []
        for code, tables in by_kind.items():
            rows = Records.concat(tables)
            self._daily.add(code, rows, self._world(rows), self._local(rows.merchant, self._size["merchant"]))

    def _write_events(self) -> None:
        if not self._events:
            return
        codes, ticks, tables = zip(*self._events, strict=True)
        self._events = []
        sizes = [rows.n for rows in tables]
        rows = Records.concat(tables)
        kind, tick = np.repeat(np.array(codes, np.int16), sizes), np.repeat(np.array(ticks, np.int32), sizes)
        columns = {**rows.columns(), "kind": kind, "tick": tick}
        for name, numbers in _NUMBERS.items():
            columns[name] = self._local(columns[name], self._size[numbers])
        self._streams["events"].add(self._world(rows), tick, columns, ~self._detail[kind])

    def _write_postings(self) -> None:
        if not self._postings:
            return
        codes, ticks, tables = zip(*self._postings, strict=True)
        self._postings = []
        sizes = [rows.n for rows in tables]
        rows = Postings.concat(tables)
        currency, tick = np.repeat(np.array(codes, np.int16), sizes), np.repeat(np.array(ticks, np.int32), sizes)
        item_size = np.array([0, self._size["variant"], self._size["merchant"], self._size["merchant"]])[currency]
        world = self._world_of_owners(rows, item_size)
        columns = {**rows.columns(), "currency": currency}
        for side in ("source", "target"):
            columns[side + "_owner"] = self._local_owner(columns[side], columns[side + "_owner"])
        columns["item"] = self._local(columns["item"], item_size)
        is_stock = currency == CURRENCIES.index("stock")
        for table, mask in (("postings", ~is_stock), ("stock", is_stock)):
            if mask.any():
                self._streams[table].add(world[mask], tick[mask], {name: c[mask] for name, c in columns.items()})

    def _world(self, rows: Records) -> Array:
        """The world of each row: its user's, or else its merchant's."""
        size, merchants = self._size["user"], self._size["merchant"]
        world: Array = np.where(rows.user >= 0, rows.user // size, rows.merchant // max(merchants, 1))
        if world.size and world.min() < 0:
            raise ContractError("a row with neither user nor merchant belongs to no world")
        return world

    def _world_of_owners(self, rows: Postings, item_size: Array) -> Array:
        """The world of each move: that of its source's owner, or else its target's, or else its item's."""
        source, target = self._owner_size[rows.source], self._owner_size[rows.target]
        world = np.full(rows.n, NOBODY, np.int64)
        for number, size in ((rows.item, item_size), (rows.target_owner, target), (rows.source_owner, source)):
            world = np.where((size > 0) & (number >= 0), number // np.maximum(size, 1), world)
        if world.min() < 0:
            raise ContractError("a move between accounts without owners belongs to no world")
        return world

    def _local(self, numbers: Array, size: Array | int) -> Array:
        """Stacked numbers as the lone world's; -1 stays."""
        if len(self._folders) == 1:
            return numbers
        out: Array = np.where(numbers >= 0, numbers % np.maximum(size, 1), numbers)
        return out.astype(numbers.dtype, copy=False)

    def _local_owner(self, account: Array, owner: Array) -> Array:
        size = self._owner_size[account]
        wrong = (size == 0) & (owner >= 0)
        if wrong.any():
            name = ACCOUNT_NAMES[int(account[np.argmax(wrong)])]
            raise ContractError(f"the account {name!r} has no owner: post to it with owner -1")
        return self._local(owner, size)


def _clear(folder: Path) -> None:
    """Make the folder; remove what a killed run left there, but never a finished ledger."""
    if (folder / MANIFEST).exists():
        raise LedgerError(_("{folder}: holds a finished run already; choose another folder", folder=folder))
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("events/part-*", "postings/part-*", "stock/part-*", "daily.parquet*", MANIFEST + ".tmp"):
        for path in folder.glob(pattern):
            path.unlink()


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    path = folder / MANIFEST
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
        file.flush()
        sync(file.fileno())
    rename(temporary, path)


def _versions() -> dict[str, str]:
    def of(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:  # run from a checkout that is not installed
            return "unknown"

    return {**{name: of(name) for name in ("wxsim", "numpy", "pyarrow")}, "python": platform.python_version()}
