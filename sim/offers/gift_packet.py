"""The gift packet (蓝包): a product sent to a friend in chat, from payment to parcel or refund.

*Eligibility.* A merchant that offers gifts lists its giftable products; of these the platform's dated rules allow
categories that are not excluded, list prices up to the cap, and nothing before gifts are rolled out. A session with a
friend in mind (note ``gift_peer``) is shown some of them on a gift page, drawn by an exponential race addressed by
(session, product) with weights as in the store. An occasion page adds appeal in proportion to the day's gift pull; a
hook is the merchant's cheapest gift, offered to senders at ``hook_price``. A merchant may tag its gifts with
occasions: they gain `occasion_match` for senders with one of them in mind (`people.gift`) and lose
`occasion_mismatch` for all others, and `platform.search_engine` ranks them higher for the former. A badge on the
product's card tells everybody who sees it, whatever she came for, how many have given it:

    appeal = badge · log(1 + gifts sent of it) / log(101).

*Life of a gift*, whose id is that of the payment:

    gift_order ── sold out ──► order_refused
        └► gift_sent ── answered in time ──► gift_claimed ──┬───────────────────► parcel ──► returned | completed
               │                                            └► gift_swapped ────►
               └─────── deadline first ────► gift_expired: full refund, the piece back on the shelf

A recipient who will answer in time finds the gift when she is about to; to one who will not it is silence, and no
message of hers is modelled. She is willing with probability w and then answers after a delay whose tail is that of
people's answering times, P(T ≤ t) = t / (t + m) with median m (log-logistic; heavy tails: Barabási 2005), so

    P(claimed within deadline d) = w · d / (d + m),   w = acceptance · (24 h + m) / 24 h,

which is the acceptance parameter at d = 24 h. Willingness and delay are addressed by the gift alone: a longer
deadline never loses a gift. Nor does a crowded inbox: the answer is a timer, and the message in the inbox only
acquaints her with the merchant. Declining is silence. She answers at her own second; an answer and the deadline on
the same second are settled by event id, as all requests are. An answer within the tick of the payment waits for the
end of that tick, which matters only for deadlines as short as a tick.

*Personal message.* A share of senders adds one, by `voice` or in `text`. Of the recipients who would not have
taken the gift it wins the share `voice_lift` or `text_lift`: w becomes w + (1 − w) · lift; the acceptance parameter
is that of gifts without a message. A recipient who finds the gift has met the merchant; with the chance `remembers`,
lifted likewise, she keeps in mind what she was given (slot column ``given``), and `people.repurchase` says what comes
of it.

*Swap.* Within the claim a recipient with another favourite style of the same product (styles have one price) may
swap, as the platform's rule allows: never, only when her style is sold out on the shelf, or always if the wanted one
is in stock. The old piece goes back to the shelf.

After-sale belongs to the recipient, refunds go to the sender, the sender never sees the address
(`operations.after_sale`, `operations.finance`). The sender cannot cancel, a gift cannot be given on.

It cannot: send one gift to a group (first come, lottery), tag each product by itself, or read what a message says.
Gifts that the merchant pays for are handed out in `channels.offline_qr`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Self

import numpy as np
from pydantic import field_validator, model_validator

from sim import draws
from sim.contract import Effects, Kind, Mechanism, View
from sim.elementary import log, log_of
from sim.kernels import segments
from sim.ledger.schema import Records
from sim.params import Params, Setting, param
from sim.units import DAY, F64, HOUR, I64, U64, Array, Bools, fen
from sim.words import _
from sim.world.giving import OCCASIONS, TAGS, can_be_given
from sim.world.shelf import cheapest, styles
from sim.world.state import Column

FACT_DEADLINE = DAY  # the deadline for which the acceptance is known
FOREVER = 1e12  # seconds
MANY = 100  # gifts sent at which the badge is worth what it is worth
TEXT, VOICE = 1, 2  # a personal message


class GiftPacketParams(Params):
    """How a merchant offers gifts, and how recipients answer."""

    needs = ("people.gift | channels.offline_qr",)
    moot = {
        "occasion_appeal": "occasion_page",
        "occasion_match": "occasions",
        "occasion_mismatch": "occasions",
        "text_lift": "text",
        "voice_lift": "voice",
        "badge_gifts": "badge",
        "remembers": "people.repurchase",
    }
    lively = {"occasions": ([], ["thanks", "birthday"])}

    acceptance_within_24h: float = param(
        0.85, "gifts claimed within 24 hours", unit="share", source="facts: gift.acceptance_within_24h", ge=0, le=1
    )
    answer_hours: float = param(1.0, "median time to answer of those who are willing", unit="hours", gt=0, le=240)
    swap_wish: float = param(0.3, "recipients who would swap for their favourite style", unit="share", ge=0, le=1)
    occasion_page: bool = param(False, "whether gift pages are dressed for festivals", unit="yes or no")
    occasion_appeal: float = param(0.5, "worth of a dressed page at the strongest festival", unit="utility", ge=0, le=5)
    hook_price: float = param(
        0.0, "price of the cheapest gift for senders; 0: its list price", unit="yuan", ge=0, le=1e6
    )

    occasions: tuple[str, ...] = param((), f"tags of its gifts: any of {', '.join(TAGS)}", unit="names")
    occasion_match: float = param(
        0.4, "worth of a tagged gift to a sender with that occasion in mind", unit="utility", ge=0, le=5
    )
    occasion_mismatch: float = param(0.2, "what it loses to a sender with another", unit="utility", ge=0, le=5)
    herding: float = param(0.25, "how much its sales so far attract", unit="relative", ge=0, le=10)
    salience: float = param(
        3.0, "how much its gifts catch the eye, on a page opened on purpose", unit="utility", ge=-10, le=10
    )
    badge: float = param(
        0.0, "worth of the badge on the card after `badge_gifts`; 0: none is shown", unit="utility", ge=0, le=5
    )
    badge_gifts: int = param(100, "gifts sent at which the badge is worth that", unit="gifts", ge=1, le=1_000_000)
    text: float = param(0.0, "senders who add a message in text", unit="share", ge=0, le=1)
    voice: float = param(0.0, "senders who add one by voice", unit="share", ge=0, le=1)
    text_lift: float = param(0.15, "share of the unwilling whom a text wins", unit="share", ge=0, le=1)
    voice_lift: float = param(0.3, "share of the unwilling whom a voice wins", unit="share", ge=0, le=1)
    remembers: float = param(0.5, "recipients who keep in mind what they were given", unit="share", ge=0, le=1)

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """A scenario that is over before gifts are rolled out."""
        rules: Any = around.on.get("platform.rules")
        if rules is not None and around.start + timedelta(around.days) <= rules.gift_rollout_start:
            yield "", _("gifts are not rolled out yet; begin later, or set platform.rules.gift_rollout_start")

    @field_validator("occasions")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in TAGS:
                raise ValueError(_("unknown occasion {name!r}; one of {known}", name=name, known=", ".join(TAGS)))
        return value

    @model_validator(mode="after")
    def _one_message(self) -> Self:
        if self.text + self.voice > 1:
            raise ValueError(_("text and voice are shares of senders; together they cannot exceed 1"))
        return self

    @model_validator(mode="after")
    def _answers_in_time(self) -> Self:
        most = FACT_DEADLINE / (FACT_DEADLINE + self.answer_hours * HOUR)
        if self.acceptance_within_24h > most:
            raise ValueError(
                _(
                    "with a median answer of {hours:g} h at most {most:.3f} of gifts can be claimed within "
                    "24 h; lower acceptance_within_24h or answer_hours",
                    hours=self.answer_hours,
                    most=most,
                )
            )
        return self


class GiftPacket(Mechanism):
    """Shows gifts, and leads each from payment to parcel or refund."""

    Params = GiftPacketParams
    clicks = {"gift_packet": 0.6}  # assumed
    columns = (
        Column("product", "gift_tags", np.int32, 0, "occasions it is tagged with, a bit each (`sim.world.giving`)"),
        Column("product", "gifted", np.int64, 0, "gifts sent of it so far"),
        Column("slot", "given", np.int16, -1, "day on which she last found a gift from it that she keeps in mind"),
    )
    kinds = {
        "gift_order": Kind("a gift is paid (user: sender, peer: recipient)", stage="stock"),
        "gift_claim": Kind("the recipient confirms an address; cause is the gift", stage="once"),
        "gift_deadline": Kind("the time to claim is over; cause is the gift", stage="once"),
        "gift_swap": Kind("the recipient takes another style; detail is the old variant", stage="stock"),
        "gift": Kind(
            "message to the recipient; cause is the gift, detail is the second at which she will answer", wakes=True
        ),
        "gift_sent": Kind(
            "a gift was paid and sent; its id is the gift's",
            says="{user} gives {peer} {quantity} × {product} of {merchant} for {amount}"
            "[, {detail:yuan} off][ ({channel})]",
        ),
        "gift_note": Kind(
            "the sender (user) added a personal message; cause is the gift, detail 1 in text, 2 by voice",
            says="{user} adds a personal message to the gift for {peer}",
        ),
        "gift_claimed": Kind(
            "the recipient (user) took the gift; cause is the gift",
            says="{user} takes the gift from {peer}: {quantity} × {product} of {merchant}",
        ),
        "gift_swapped": Kind(
            "the recipient (user) took another style; detail is the old variant's number",
            says="{user} swaps it for another style: {variant}",
        ),
        "gift_expired": Kind(
            "nobody took the gift, the sender (user) is refunded; cause is the gift",
            says="{peer} does not take {product} of {merchant} in time, and {amount} go back to {user}",
        ),
    }
    settles = ("gift_order", "gift_claim", "gift_deadline", "gift_swap")

    def prepare(self) -> None:
        self._median = self.per_merchant("answer_hours") * HOUR
        acceptance = self.per_merchant("acceptance_within_24h")
        self._willing = acceptance * (FACT_DEADLINE + self._median) / FACT_DEADLINE
        self._swap_wish = self.per_merchant("swap_wish")
        self._occasion = self.per_merchant(lambda p: p.occasion_appeal if p.occasion_page else 0.0)
        self._listed = self.world.product["giftable"] & self.on[self.world.product["merchant"]]
        self._hook_off = self._hooks(self.per_merchant(lambda p: fen(p.hook_price), 0, np.int64))
        owner = self.world.product["merchant"]
        tags = self.per_merchant(lambda p: sum({1 << OCCASIONS.index(name) for name in p.occasions}), 0, np.int32)
        self._tags = np.where(self._listed, tags[owner], 0).astype(np.int32)
        self._match, self._mismatch = self.per_merchant("occasion_match"), self.per_merchant("occasion_mismatch")
        self._herding, self._salience = self.per_merchant("herding")[owner], self.per_merchant("salience")[owner]
        worth = self.per_merchant(lambda p: p.badge / log_of(1.0 + p.badge_gifts))
        self._badge = np.where(self._listed, worth[owner], 0.0)
        self._text, self._voice = self.per_merchant("text"), self.per_merchant("voice")
        lifts = [self.per_merchant(name) for name in ("text_lift", "voice_lift")]
        self._lift = np.stack([np.zeros(self.world.m), *lifts], axis=1)  # by merchant and message
        self._remembers = self.per_merchant("remembers")

    def initial(self) -> Mapping[tuple[str, str], Array]:
        return {("product", "gift_on"): self._listed, ("product", "gift_tags"): self._tags}

    def eligible(self, rules: Mapping[str, Any]) -> Bools:
        """Which products can be sent as gifts under these rules, shape (products,)."""
        return can_be_given(self.world, self._listed, rules)

    def expose(self, view: View) -> Effects:
        """Gift pages for sessions with a friend in mind."""
        fx = Effects()
        session = (view.gift_minded & view.sessions.planned).nonzero()[0]
        if session.size:
            session, product = self._pages(view, session)
            appeal = self._occasion * float(view.calendar.gift_pull[view.clock.day])
            fx.expose(
                view.channel("gift_packet"),
                session,
                product,
                cause=view.sessions.event[session],
                appeal=appeal[self.world.product["merchant"][product]],
                salience=self._salience[product],
            )
        return fx

    def appraise(self, view: View) -> Effects:
        """The hook's price and the right occasion, for senders; the badge, for everybody."""
        fx, shown = Effects(), view.exposures
        giving = view.gift_minded
        if giving.any() and self._hook_off.any():
            off = np.where(self.eligible(view.rules), self._hook_off, 0)[shown.product]
            at = ((off > 0) & giving[shown.session]).nonzero()[0]
            fx.discount(at, off[at])
        if self._tags.any():
            self._dress(view, fx)
        if self._badge.any():
            fx.appeal((self._badge * log(1.0 + view.shared("product", "gifted")))[shown.product])
        return fx

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind == "gift_order":
            self._send(view, fx, rows.take(granted))
            fx.event("order_refused", rows.take(~granted))
        elif kind == "gift_claim":
            self._claim(view, fx, rows.take(granted))
        elif kind == "gift_deadline":
            fx.event("gift_expired", rows.take(granted))
        else:
            self._swap(view, fx, rows, granted)
        return fx

    def respond(self, view: View) -> Effects:
        """Who finds a gift has met the merchant, and may keep in mind what she was given."""
        fx, found = Effects(), view.inbox("gift")
        fx.relate("or", "flags", found.session, found.rows.merchant, 0)
        if found.rows.n:
            gift, merchant = found.rows.cause, found.rows.merchant
            share = self._lifted(self._remembers, gift, merchant)
            at = draws.chance("offers.gift_packet/remembers", gift, share).nonzero()[0]
            fx.relate("set", "given", found.session[at], merchant[at], view.clock.day)
        return fx

    # ------------------------------------------------------------------------------------------------ before payment

    def _hooks(self, price: I64) -> I64:
        """How much each product is cheaper for senders, fen: only the cheapest gift of a merchant with a hook."""
        off, hook = np.zeros(self._listed.size, np.int64), cheapest(self.world, self._listed.nonzero()[0])
        at = ((hook >= 0) & (price > 0)).nonzero()[0]
        off[hook[at]] = np.maximum(self.world.product["price"][hook[at]] - price[at], 0)
        return off

    def _dress(self, view: View, fx: Effects) -> None:
        """What tags are worth to senders, by the occasion that each has in mind."""
        shown, occasion = view.exposures, view.scratch.get("gift_occasion")
        if occasion is None:
            return
        tags, mind = self._tags[shown.product].astype(np.int64), occasion[shown.session]
        hit = (tags >> np.maximum(mind, 0)) & 1 != 0
        worth = np.where(hit, self._match[shown.merchant], -self._mismatch[shown.merchant])
        fx.appeal(np.where((tags != 0) & (mind >= 0) & view.gift_minded[shown.session], worth, 0.0))

    def _pages(self, view: View, session: I64) -> tuple[I64, I64]:
        """The gifts that each session's page shows: the first of a race."""
        world, local = self.world, self.eligible(view.rules)[: self.world.products].nonzero()[0]
        if local.size == 0:
            return session[:0], session[:0]
        owner = np.repeat(np.arange(session.size), local.size)
        home = world.world_of(view.sessions.user[session]).astype(np.int64)[owner]
        product = np.tile(local, session.size) + home * world.products
        number = world.product_number(product)
        sold = log(1.0 + view.shared("product", "sold")[product])
        weight = world.product["weight"][product] * (1.0 + self._herding[product] * sold)
        arrival = draws.exponential("offers.gift_packet/page", view.sessions.event[session][owner], number)
        first = segments.top_k(owner, -arrival / weight, view.rules["gift_places"], number.astype(np.uint64))
        return session[owner[first]], product[first]

    # ------------------------------------------------------------------------------------------------- after payment

    def _send(self, view: View, fx: Effects, sent: Records) -> None:
        """The gift is out: it waits for the recipient, or for its deadline."""
        gift = sent.event
        deadline = sent.time + view.rules["gift_deadline_hours"] * HOUR
        fx.event("gift_sent", sent)
        fx.tally("product", "sold", sent.product, sent.quantity)
        fx.tally("product", "gifted", sent.product)
        self._write_notes(fx, sent)
        fx.open_subject(gift)
        waiting = sent.with_(cause=gift, detail=0)
        fx.request("gift_deadline", waiting.with_(time=deadline, event=draws.child(gift, "gift_deadline")))
        tick = view.clock.end - view.clock.start
        answer = np.maximum(sent.time + self.delay(sent), (sent.time // tick + 1) * tick)
        at = (self.willing(sent) & (answer <= deadline)).nonzero()[0]
        found, answer = waiting.take(at), answer[at]
        event = draws.child(found.cause, "gift")
        message = found.with_(
            user=found.peer, peer=found.user, event=event, time=answer // tick * tick - 1, detail=answer
        )
        fx.message("gift", message)
        fx.wake(message.with_(time=answer))
        fx.request("gift_claim", message.with_(time=answer, event=draws.child(found.cause, "gift_claim"), detail=0))

    def willing(self, gift: Records) -> Bools:
        """Whether each gift's recipient would take it if she had all the time in the world."""
        return draws.chance(
            "offers.gift_packet/willing", gift.event, self._lifted(self._willing, gift.event, gift.merchant)
        )

    def note(self, gift: U64, merchant: Array) -> I64:
        """The personal message of each gift: 0 none, 1 in text, 2 by voice."""
        voice, text = self._voice[merchant], self._text[merchant]
        if not (voice.any() or text.any()):
            return np.zeros(gift.size, np.int64)
        luck = draws.uniform("offers.gift_packet/note", gift)
        return np.where(luck < voice, VOICE, np.where(luck < voice + text, TEXT, 0))

    def _lifted(self, share: F64, gift: U64, merchant: Array) -> F64:
        """A share by merchant, lifted by each gift's message."""
        plain = share[merchant]
        out: F64 = plain + (1.0 - plain) * self._lift[merchant, self.note(gift, merchant)]
        return out

    def _write_notes(self, fx: Effects, sent: Records) -> None:
        note = self.note(sent.event, sent.merchant)
        added = sent.take(note > 0)
        event = draws.child(added.event, "gift_note")
        fx.event("gift_note", added.with_(event=event, cause=added.event, amount=0, detail=note[note > 0]))

    def delay(self, gift: Records) -> I64:
        """Seconds after which each gift's recipient answers if she is willing: log-logistic with shape 1."""
        luck = draws.uniform("offers.gift_packet/delay", gift.event)
        seconds = self._median[gift.merchant] * luck / (1.0 - luck)
        return np.minimum(seconds, FOREVER).astype(np.int64)

    def _claim(self, view: View, fx: Effects, taken: Records) -> None:
        """The recipient has the gift, and may ask for another style of it."""
        fx.event("gift_claimed", taken)
        wanted = self._favourite(taken)
        swaps = draws.chance("offers.gift_packet/swap", taken.cause, self._swap_wish[taken.merchant])
        swaps &= (wanted != taken.variant) & self._may_swap(view, taken)
        swap = taken.take(swaps)
        fx.request(
            "gift_swap",
            swap.with_(
                time=swap.time + 1,
                event=draws.child(swap.cause, "gift_swap"),
                variant=wanted[swaps],
                detail=swap.variant,
            ),
        )
        fx.request("parcel", _parcel(taken.take(~swaps)))

    def _may_swap(self, view: View, taken: Records) -> Bools:
        """Whether the platform lets the recipient take another style."""
        rule = view.rules["gift_swap"]
        if rule == "only_when_out_of_stock":
            out: Bools = view.shared("variant", "stock")[taken.variant] <= 0
            return out
        return np.full(taken.n, rule != "none")

    def _favourite(self, taken: Records) -> Array:
        """The style that each recipient likes best: the lasting taste by which she would buy it for herself."""
        owner, variant, liking, which = styles(self.world, taken.user, taken.product)
        return variant[segments.argmax(owner, liking, which.astype(np.uint64))]

    def _swap(self, view: View, fx: Effects, rows: Records, granted: Bools) -> None:
        """The wanted style goes out and the old one back to the shelf; if it is gone, the old one goes out."""
        done = rows.take(granted)
        fx.event("gift_swapped", done.with_(detail=done.detail % self.world.variants))
        fx.request(
            "put_back",
            Records(
                done.n,
                time=np.maximum(done.time + 1, view.clock.end),
                event=draws.child(done.event, "put_back"),
                cause=done.event,
                merchant=done.merchant,
                product=done.product,
                variant=done.detail,
                quantity=-done.quantity,
            ),
        )
        fx.request("parcel", _parcel(rows.with_(variant=np.where(granted, rows.variant, rows.detail))))


def _parcel(taken: Records) -> Records:
    """Requests to ship: the sender has paid (user), the recipient gets the parcel (peer)."""
    event = draws.child(taken.cause, "parcel")
    return taken.with_(time=taken.time + 1, event=event, user=taken.peer, peer=taken.user, detail=0)
