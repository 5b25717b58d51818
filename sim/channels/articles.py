"""Articles (公众号文章): what a broadcast opens into, and what strangers read; cards, questions, hot topics.

*Publishing.* Every broadcast of a merchant's service account that the platform lets through is an article (of the
same id); `unpushed_per_week` more go out without a broadcast. Fans who open a broadcast read its article; strangers
are shown it by `platform.recommender`, and a share ``click · (½ + quality)`` of them opens it, addressed by (article,
user); a friend's visible like multiplies the odds, once (`people.like`).

*Cards.* An article shows the product that it features, the `cards` - 1 best sellers of the merchant, and the best
seller of every merchant that it is `linked` with: a path by which one account's readers come to another's shop.

*Interaction.* A reader takes part in its question, vote or lottery with the form's own probability. She passes the
article on with the urge ``share · (½ + quality)`` (times her sociality and her category's readiness: `people.share`),
and is prompted to follow with the strength `follow` · quality; who has taken part, `engaged_share` and
`engaged_follow` times as much.

*Hot topics.* A share `hot_topics` of the articles is on what everybody talks of: for them the topic's `heat` is added
to the weight of recommendation, whatever the reader's taste, and cools with the recommender's half-life.

An article costs `cost_yuan` · quality in cash when it is published.

*Measured* in the shipped town (60 days, 8 seeds, 7 unpushed articles a week): 0.028 ± 0.012 of readings are passed
on; facts service_account.article_share_rate, 0.032 (0.015 to 0.06), to which `share` was calibrated.

It cannot: be read twice, pay out the lottery (`offers` do), choose its topic by the day, or be paid for its links.
"""

from typing import Literal

import numpy as np
from pydantic import field_validator

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.errors import ContractError
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import NOBODY, Bools, fen
from sim.words import _
from sim.world import feed, posts
from sim.world.shelf import front, shelf

FORMS = ("question", "vote", "lottery")
_PER_MILLE = 1_000


class ArticlesParams(Params):
    """How articles are written."""

    needs = ("channels.service_account | platform.recommender",)
    wants = {"channels.service_account": "no fan gets it, and whoever follows hears nothing more"}
    moot = {
        "unpushed_per_week": "platform.recommender",
        "hour": "unpushed_per_week",
        "click": "platform.recommender",
        "share": "people.share",
        "follow": "people.follow",
        "heat": "hot_topics",
        "hot_topics": "platform.recommender",
    }
    lively = {"click": (0.5, 1.0)}

    unpushed_per_week: int = param(
        1, "articles that go out without a broadcast", unit="per week", ge=0, le=posts.MOST_PER_WEEK
    )
    hour: int = param(18, "hour of the first of those of a day, others follow hourly", unit="hour of the day",
                      ge=0, le=21)  # fmt: skip
    quality: float = param(0.5, "quality of the writing, 0.5 is middling", unit="0..1", ge=0, le=1)
    click: float = param(0.08, "share of those shown a middling article who open it", unit="probability", ge=0, le=1)
    cards: int = param(3, "product cards of the merchant's own goods", unit="cards", ge=1, le=20)
    linked: tuple[str, ...] = param((), "merchants whose best seller it shows as well", unit="merchants")
    appeal: float = param(-0.3, "appeal of a product on a card: she came to read", unit="utility", ge=-20, le=20)
    salience: float = param(1.0, "how much a card catches the eye", unit="salience", ge=-20, le=20)
    share: float = param(
        0.03, "readers who pass a middling article on (calibrated; target: service_account.article_share_rate)",
        unit="share", ge=0, le=1,
    )  # fmt: skip
    follow: float = param(
        1.0, "prompt to follow by the best article; 1 is that of having bought", unit="strength", ge=0, le=100
    )
    interaction: Literal["none", "question", "vote", "lottery"] = param(
        "none", "what readers are asked to take part in", unit="form"
    )
    taking_part: dict[str, float] = param(
        lambda: {"question": 0.03, "vote": 0.08, "lottery": 0.15}, "readers who take part, by form", unit="share"
    )
    engaged_share: float = param(3.0, "urge to pass on of who took part", unit="relative", ge=0, le=100)
    engaged_follow: float = param(2.0, "prompt to follow of who took part", unit="relative", ge=0, le=100)
    hot_topics: float = param(0.1, "articles on a hot topic", unit="share", ge=0, le=1)
    heat: float = param(3.0, "weight of a hot topic, over ordinary relevance", unit="relative", ge=0, le=1_000)
    cost_yuan: float = param(30.0, "cost of the best article", unit="yuan per article", ge=0, le=1e6)

    @field_validator("taking_part")
    @classmethod
    def _rates(cls, value: dict[str, float]) -> dict[str, float]:
        if set(value) != set(FORMS) or not all(0 <= rate <= 1 for rate in value.values()):
            raise ValueError(_("give a share from 0 to 1 for each of {forms}", forms=", ".join(FORMS)))
        return value


class Articles(Mechanism):
    """Publishes articles, and decides who reads, takes part and passes them on."""

    Params = ArticlesParams
    clicks = {"articles": 0.12}  # assumed
    kinds = {
        "article": Kind(
            "an article that goes out without a broadcast; amount: what it cost, detail: quality, "
            "quantity: heat of its topic, both in 1/1000",
            stage="plain",
            feed=True,
            says="{merchant} publishes an article about {product}",
        ),
        "article_card": Kind("content: a product card in an article; cause: the article"),
        "article_read": Kind(
            "reads an article; cause: the article, quantity: 1 for who was shown it as a stranger",
            detail=True,
            says="{user} reads the article of {merchant} about {product}",
        ),
        "took_part": Kind(
            "takes part in what an article asks; cause: the article",
            says="{user} takes part in what the article of {merchant} about {product} asks",
        ),
    }
    settles = ("article", "broadcast")

    def prepare(self) -> None:
        better = 0.5 + self.per_merchant("quality")
        self._click, self._share = self.per_merchant("click") * better, self.per_merchant("share") * better
        self._follow = self.per_merchant("follow") * self.per_merchant("quality")
        self._appeal, self._salience = self.per_merchant("appeal"), self.per_merchant("salience")
        self._taking_part = self.per_merchant(lambda p: p.taking_part.get(p.interaction, 0.0))
        self._engaged_share = self.per_merchant("engaged_share", 1.0)
        self._engaged_follow = self.per_merchant("engaged_follow", 1.0)
        self._hot = self.per_merchant("hot_topics")
        self._heat = self.per_merchant(lambda p: round(p.heat * _PER_MILLE), 0, np.int64)
        self._quality = self.per_merchant(lambda p: round(p.quality * _PER_MILLE), 0, np.int64)
        self._cards = self.per_merchant("cards", 0, np.int64)
        self._cost = self.per_merchant(lambda p: fen(p.cost_yuan * p.quality), 0, np.int64)
        self._links = [() if p is None else self._linked(number, p.linked) for number, p in enumerate(self.p)]
        self._shelf = shelf(self.world)

    def _linked(self, merchant: int, names: tuple[str, ...]) -> tuple[int, ...]:
        """The merchants of these names in the same world."""
        known, home = list(self.world.merchant_keys), merchant - merchant % self.world.merchants
        for name in names:
            if name not in known:
                raise ContractError(f"articles are linked with {name!r}, which is no merchant; name {', '.join(known)}")
        return tuple(home + known.index(name) for name in names)

    # ------------------------------------------------------------------------------------------------- publishing

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        who = ((at, p.unpushed_per_week, p.hour) for at, p in enumerate(self.p) if p is not None)
        return posts.every_week(self.world, "article", days, who)

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        """An article goes out; a broadcast, if the platform lets it through, opens into one."""
        if kind == "broadcast":
            rows = rows.take(self.on[rows.merchant] & (rows.detail < view.rules["broadcasts_per_month_cap"]))
        if not rows.n:
            return EMPTY
        fx, who = Effects(), rows.merchant
        hot = draws.chance("channels.articles/hot", rows.event, self._hot[who])
        rows = rows.with_(
            channel=view.channel("articles"),
            amount=self._cost[who],
            detail=self._quality[who],
            quantity=np.where(hot, self._heat[who], 0),
        )
        if kind == "article":
            fx.event("article", rows)
        fx.publish("article", rows)
        fx.publish("article_card", self._printed(view, rows))
        fx.post("fen", Postings.move(rows, "cash", who, "media", NOBODY, rows.amount))
        return fx

    def _printed(self, view: View, rows: Records) -> Records:
        """The cards in these articles: what each features, its merchant's best sellers, those of the linked."""
        sold, place = view.shared("product", "sold"), np.arange(rows.n)
        owner, product = [place], [rows.product.astype(np.int64)]
        for at, merchant in enumerate(rows.merchant.tolist()):  # articles of one tick are few
            others = ((merchant, int(self._cards[merchant]) - 1), *((link, 1) for link in self._links[merchant]))
            for shop, depth in others:
                _, best = front(self._shelf, sold, np.array([shop]), depth)
                owner.append(np.full(best.size, at))
                product.append(best)
        which, goods = np.concatenate(owner), np.concatenate(product)
        first = np.unique(which * self.world.product["price"].size + goods, return_index=True)[1]
        which, goods = which[first], goods[first]
        article = rows.take(which)
        return article.with_(
            event=draws.child(article.event, "article_card", self.world.product_number(goods)),
            cause=article.event,
            product=goods,
            merchant=self.world.product["merchant"][goods],
            amount=0,
            detail=0,
            quantity=0,
        )

    # ------------------------------------------------------------------------------------------------- reading

    def expose(self, view: View) -> Effects:
        """Strangers who are shown an article open it or scroll on."""
        session, article = feed.opened(view, "channels.articles/open", view.content("article"), self._click)
        if not session.size:
            return EMPTY
        fx, cards = Effects(), view.content("article_card")
        owner, at = feed.under(cards, article.event)
        writer = article.merchant[owner]
        fx.expose(
            view.channel("articles"),
            session[owner],
            cards.product[at],
            cause=article.event[owner],
            appeal=self._appeal[writer],
            salience=self._salience[writer],
        )
        fx.note("read_articles", feed.by_session(len(view.sessions), session, article.event))
        return fx

    def checkout(self, view: View) -> Effects:
        """Readers, fans and strangers, take part; what they have read leaves an urge to pass on and to follow."""
        sent = view.content("article")
        by_feed, by_push = (feed.met(view.scratch.get(f"read_{by}"), sent) for by in ("articles", "service_account"))
        session, at = np.append(by_feed.session, by_push.session), np.append(by_feed.at, by_push.at)
        if not session.size:
            return EMPTY
        fx, article = Effects(), sent.take(at)
        stranger = np.arange(session.size) < by_feed.session.size
        fx.event("article_read", feed.deeds(view, "article_read", session, article, stranger))
        who, reader = article.merchant, self.world.local_user(view.sessions.user[session])
        engaged = draws.chance("channels.articles/take_part", article.event, self._taking_part[who], reader)
        fx.event("took_part", feed.deeds(view, "took_part", session[engaged], article.take(engaged)))
        urge = self._share[who] * np.where(engaged, self._engaged_share[who], 1.0)
        pull = self._follow[who] * np.where(engaged, self._engaged_follow[who], 1.0)
        count = len(view.sessions)
        fx.note("article_read", feed.by_session(count, session, article.event))
        fx.note("article_urge", feed.by_session(count, session, urge))
        feed.prompt(fx, "articles", count, session, article, pull)
        return fx
