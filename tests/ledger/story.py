"""A small ledger told by hand: rows are kept as plain dicts, so that a test can spoil one before they are written."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS, Postings, Records
from sim.ledger.writer import LedgerWriter
from sim.units import DAY, HOUR

KINDS = {
    "visit": False, "order": False, "order_refused": False, "gift_sent": False, "gift_claimed": False,
    "gift_expired": False, "shipped": False, "delivered": False, "returned": False, "completed": False,
    "coupon_issued": False, "coupon_claimed": False, "coupon_redeemed": False, "coupon_expired": False,
    "restocked": False, "share": False, "promotion": False, "follow": False, "unfollow": False,
    "mute": False, "notice": False,
    "points_earned": False, "points_sign_in": False, "points_redeemed": False, "points_returned": False,
    "points_expired": False, "spend": False, "attributed": False, "commission_held": False, "commission_paid": False,
    "commission_voided": False, "exposure": True, "view": True, "click": True,
    "image_post": False, "article": False, "broadcast": False, "like": False,
    "recommended": True, "post_opened": True, "article_read": True,
}  # fmt: skip
CHANNELS = ("store", "moments", "groups", "articles", "image_posts", "offline_qr")


@dataclass
class Story:
    """Rows to be written; `event` and `move` return what they added, for later events or for spoiling."""

    users: int = 20
    merchants: tuple[str, ...] = ("tea_house", "bakery")
    products: tuple[str, ...] = ("green tea", "black tea", "cake")
    variants: int = 4
    days: int = 60
    events: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)

    def event(self, kind: str, time: int, cause: dict[str, Any] | None = None, **columns: Any) -> dict[str, Any]:
        row = {"kind": kind, "time": time, "event": len(self.events) + 1, "merchant": 0, **columns}
        row["cause"] = cause["event"] if cause else 0
        self.events.append(row)
        return row

    def move(self, event: dict[str, Any], currency: str, source: Any, target: Any, amount: int, item: int = -1) -> None:
        move = {"time": event["time"], "event": event["event"], "currency": currency, "amount": amount, "item": item}
        for side, account in (("source", source), ("target", target)):
            move[side], move[side + "_owner"] = account if isinstance(account, tuple) else (account, -1)
        self.moves.append(move)

    # deals as the market makes them ------------------------------------------------------------------------------

    def restock(self, time: int, variant: int, pieces: int, cost: int, merchant: int = 0) -> dict[str, Any]:
        row = self.event("restocked", time, merchant=merchant, variant=variant, quantity=pieces, amount=pieces * cost)
        self.move(row, "stock", "factory", ("shelf", variant), pieces, variant)
        self.move(row, "fen", ("cash", merchant), "supplier", pieces * cost)
        return row

    def order(self, time: int, user: int, amount: int, kind: str = "order", **columns: Any) -> dict[str, Any]:
        columns = {"merchant": 0, "variant": 0, "product": 0, "channel": "store", "quantity": 1, **columns}
        if columns.get("cause") is None:
            columns["cause"] = self.event("visit", time - 60, user=user, merchant=columns["merchant"])
        row = self.event(kind, time, user=user, amount=amount, **columns)
        self.move(row, "fen", ("wallet", user), ("escrow", row["merchant"]), amount)
        self.move(row, "stock", ("shelf", row["variant"]), ("reserved", row["variant"]), 1, row["variant"])
        return row

    def ship(self, deal: dict[str, Any], time: int) -> None:
        place = {name: deal[name] for name in ("user", "merchant", "variant")}
        sent = self.event("shipped", time, deal, **place)
        self.move(sent, "stock", ("reserved", deal["variant"]), ("transit", deal["variant"]), 1, deal["variant"])
        self.move(sent, "fen", ("cash", deal["merchant"]), "courier", 800)
        got = self.event("delivered", time + 2 * DAY, deal, **place)
        self.move(got, "stock", ("transit", deal["variant"]), "customer", 1, deal["variant"])

    def complete(self, deal: dict[str, Any], time: int) -> dict[str, Any]:
        row = self.event("completed", time, deal, **self._of(deal), amount=deal["amount"])
        fee = deal["amount"] // 20
        self.move(row, "fen", ("escrow", deal["merchant"]), ("cash", deal["merchant"]), deal["amount"] - fee)
        self.move(row, "fen", ("escrow", deal["merchant"]), "platform", fee)
        return row

    def give_back(self, deal: dict[str, Any], time: int) -> dict[str, Any]:
        row = self.event("returned", time, deal, **self._of(deal), amount=deal["amount"])
        self.move(row, "fen", ("escrow", deal["merchant"]), ("wallet", deal["user"]), deal["amount"])
        self.move(row, "stock", "customer", "scrap", 1, deal["variant"])
        return row

    def claim(self, gift: dict[str, Any], time: int) -> dict[str, Any]:
        return self.event("gift_claimed", time, gift, user=gift["peer"], peer=gift["user"], merchant=gift["merchant"])

    def expire(self, gift: dict[str, Any], time: int) -> dict[str, Any]:
        row = self.event("gift_expired", time, gift, **self._of(gift), amount=gift["amount"])
        self.move(row, "fen", ("escrow", gift["merchant"]), ("wallet", gift["user"]), gift["amount"])
        self.move(row, "stock", ("reserved", gift["variant"]), ("shelf", gift["variant"]), 1, gift["variant"])
        return row

    def hold(self, deal: dict[str, Any], user: int, fen: int) -> dict[str, Any]:
        """The commission of a promoter on a deal."""
        place = {"merchant": deal["merchant"], "amount": fen}
        counted = self.event("attributed", deal["time"], deal, user=deal["user"], peer=user, **place)
        row = self.event("commission_held", deal["time"], counted, user=user, peer=deal["user"], **place)
        self.move(row, "fen", ("cash", deal["merchant"]), ("commission", deal["merchant"]), fen)
        return row

    def release(self, held: dict[str, Any], time: int, kind: str = "commission_paid") -> dict[str, Any]:
        row = self.event(kind, time, held, **{name: held[name] for name in ("user", "peer", "merchant", "amount")})
        to = ("promoter", held["user"]) if kind == "commission_paid" else ("cash", held["merchant"])
        self.move(row, "fen", ("commission", held["merchant"]), to, held["amount"])
        return row

    def _of(self, deal: dict[str, Any]) -> dict[str, Any]:
        return {name: deal[name] for name in ("user", "merchant", "variant", "product", "channel", "quantity")}

    # writing -----------------------------------------------------------------------------------------------------

    def writer(self, *folders: Path, **options: Any) -> LedgerWriter:
        return LedgerWriter(
            folders, kinds=KINDS, channels=CHANNELS, merchants=self.merchants, products=self.products,
            users=self.users, variants=self.variants, **options,
        )  # fmt: skip

    def tell(self, writer: LedgerWriter, world: int = 0) -> None:
        """Hand the rows to the writer tick by tick, with the stacked numbers of the world."""
        for row in sorted(self.events + self.moves, key=lambda row: row["time"] // HOUR):
            self.hand(writer, row, world)

    def hand(self, writer: LedgerWriter, row: dict[str, Any], world: int = 0) -> None:
        tick = row["time"] // HOUR
        if "kind" in row:
            writer.events(row["kind"], self.records(row, world), tick)
        else:
            writer.postings(row["currency"], self.posting(row, world), tick)

    def records(self, row: dict[str, Any], world: int = 0) -> Records:
        sizes = {"user": self.users, "peer": self.users, "merchant": len(self.merchants),
                 "product": len(self.products), "variant": self.variants}  # fmt: skip
        columns = {name: value for name, value in row.items() if name != "kind"}
        columns["channel"] = CHANNELS.index(columns["channel"]) if columns.get("channel") else -1
        for name, size in sizes.items():
            if columns.get(name, -1) >= 0:
                columns[name] += world * size
        return Records(1, **columns)

    def posting(self, row: dict[str, Any], world: int = 0) -> Postings:
        sizes = {"user": self.users, "merchant": len(self.merchants), "variant": self.variants, "none": 0}
        columns = {name: value for name, value in row.items() if name != "currency"}
        for side in ("source", "target"):
            account = ACCOUNTS[columns[side]]
            columns[side] = account.code
            if columns[side + "_owner"] >= 0:
                columns[side + "_owner"] += world * sizes[account.owner]
        if columns["item"] >= 0:
            columns["item"] += world * (self.variants if row["currency"] == "stock" else len(self.merchants))
        return Postings(1, **columns)

    def write(self, folder: Path, **options: Any) -> Ledger:
        writer = self.writer(folder, **options)
        self.tell(writer)
        self.close(writer, [7])
        return Ledger(folder)

    def close(self, writer: LedgerWriter, seeds: list[int]) -> list[str]:
        return writer.close(
            scenario={"title": "told by hand"},
            strategy="base",
            seeds=seeds,
            days=self.days,
        )


def market() -> Story:
    """Two merchants and every way in which a deal can go."""
    told = Story()
    told.restock(0, 0, 10, 2_000)
    told.restock(0, 3, 5, 1_000, merchant=1)
    first = told.order(DAY, user=1, amount=5_000)
    told.ship(first, 2 * DAY)
    told.complete(first, 9 * DAY)
    back = told.order(DAY + 100, user=2, amount=6_000)
    told.ship(back, 2 * DAY)
    told.give_back(back, 6 * DAY)
    shared = told.event("share", 4 * DAY + 10, first, user=1, channel="moments", quantity=5)
    told.event("mute", 4 * DAY + 300, shared, user=2)
    given = told.order(5 * DAY, user=1, amount=7_000, kind="gift_sent", peer=3)
    told.claim(given, 5 * DAY + 3 * HOUR)
    told.ship(given, 6 * DAY)
    told.complete(given, 14 * DAY)
    missed = told.order(5 * DAY + 50, user=3, amount=3_000, kind="gift_sent", peer=4, merchant=1, variant=3, product=2)
    told.expire(missed, 6 * DAY + 50)
    told.event("order_refused", 5 * DAY + 70, user=6, variant=1)
    issued = told.event("coupon_issued", 7 * DAY)
    told.move(issued, "coupon", ("issuer", 0), ("pool", 0), 3, 0)
    claimed = told.event("coupon_claimed", 8 * DAY, issued, user=5)
    told.move(claimed, "coupon", ("pool", 0), ("holder", 5), 1, 0)
    cheap = told.order(8 * DAY + 500, user=5, amount=4_000, detail=1_000, cause=claimed, channel="groups")
    used = told.event("coupon_redeemed", 8 * DAY + 500, claimed, user=5, amount=1_000)
    told.move(used, "coupon", ("holder", 5), "redeemed", 1, 0)
    told.ship(cheap, 9 * DAY)
    told.complete(cheap, 16 * DAY)
    advert = told.event("spend", 10 * DAY, amount=1_500)
    told.move(advert, "fen", ("cash", 0), "media", 1_500)
    told.release(told.hold(first, 7, 250), 9 * DAY)
    told.release(told.hold(back, 8, 300), 6 * DAY, "commission_voided")
    return told
