"""Image posts (小绿书): pictures with a few lines, which the platform recommends to strangers.

A merchant's service account publishes `posts_per_week`, each about one of its products in turn. `quality` is how
inviting a post looks, `value` what is in it for whoever opens it. `platform.recommender` decides who is shown it. Of
those who are, a share

    click · (½ + quality)

opens it, so a middling post has the click rate; if a friend is seen to like it the odds are multiplied (note
``first_like`` of `people.like`), once, however many friends do. The draw is addressed by (post, user): a better post
only gains readers. Whoever opens it sees the product, with the appeal of something that she did not come for, and is
prompted to follow the account with the strength `follow` · `value` (`people.follow`). So bait is opened and not
followed; and a reader who follows has not bought anything yet: it takes something that brings her back.

A post costs `look_yuan` · quality + `substance_yuan` · value, paid in cash when it is published. Fans are not shown
image posts: they have the broadcasts.

*Measured* in the shipped town (5,000 people, 60 days, 8 seeds), against facts
service_account.fan_growth_from_image_posts, +20 % (10 to 35) for a good account within some weeks: three middling
posts a week +11 % of the fans won without them; one good post a day (quality and value 0.7) +58 %, which is too much.
The account begins without a fan, so that growth is over those whom it wins in that time, and not over an audience
that stands: of a larger one it would be a smaller share.

It cannot: vary from post to post, answer comments, learn which pictures work, or go out of fashion.
"""

import numpy as np

from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.ledger.schema import Postings, Records
from sim.params import Params, param
from sim.units import NOBODY, Bools, fen
from sim.world import feed, posts

_PER_MILLE = 1_000


class ImagePostsParams(Params):
    """How a merchant makes image posts."""

    needs = ("platform.recommender",)
    wants = {"channels.service_account": "whoever follows hears nothing more"}
    moot = {"follow": "people.follow"}
    lively = {"click": (0.5, 1.0)}

    posts_per_week: int = param(3, "posts per week", unit="per week", ge=0, le=posts.MOST_PER_WEEK)
    hour: int = param(12, "hour of the first post of a day, others follow hourly", unit="hour of the day", ge=0, le=21)
    quality: float = param(0.5, "how inviting it looks, 0.5 is middling", unit="0..1", ge=0, le=1)
    value: float = param(0.5, "what is in it for the reader", unit="0..1", ge=0, le=1)
    click: float = param(0.15, "share of those shown a middling post who open it", unit="probability", ge=0, le=1)
    follow: float = param(
        2.0, "prompt to follow by a post of the best value; 1 is that of having bought", unit="strength", ge=0, le=100
    )
    appeal: float = param(-0.5, "appeal of a product met in a post: she came to look", unit="utility", ge=-20, le=20)
    salience: float = param(1.0, "how much the product in a post catches the eye", unit="salience", ge=-20, le=20)
    look_yuan: float = param(20.0, "cost of the best look", unit="yuan per post", ge=0, le=1e6)
    substance_yuan: float = param(20.0, "cost of the best value", unit="yuan per post", ge=0, le=1e6)


class ImagePosts(Mechanism):
    """Publishes posts, and shows what is in them."""

    Params = ImagePostsParams
    clicks = {"image_posts": 0.1}  # assumed
    kinds = {
        "image_post": Kind(
            "an image post; amount: what it cost, detail: quality in 1/1000",
            stage="plain",
            feed=True,
            says="{merchant} publishes an image post about {product}",
        ),
        "post_opened": Kind(
            "somebody who was shown an image post opens it; cause: the post",
            detail=True,
            says="{user} opens the image post of {merchant} about {product}",
        ),
    }
    settles = ("image_post",)

    def prepare(self) -> None:
        self._click = self.per_merchant("click") * (0.5 + self.per_merchant("quality"))
        self._follow = self.per_merchant("follow") * self.per_merchant("value")
        self._appeal, self._salience = self.per_merchant("appeal"), self.per_merchant("salience")
        self._quality = self.per_merchant(lambda p: round(p.quality * _PER_MILLE), 0, np.int64)
        self._cost = self.per_merchant(lambda p: fen(p.look_yuan * p.quality + p.substance_yuan * p.value), 0, np.int64)

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        who = ((at, p.posts_per_week, p.hour) for at, p in enumerate(self.p) if p is not None)
        return posts.every_week(self.world, "image_post", days, who)

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx, who = Effects(), rows.merchant
        rows = rows.with_(channel=view.channel("image_posts"), amount=self._cost[who], detail=self._quality[who])
        fx.event("image_post", rows)
        fx.publish("image_post", rows)
        fx.post("fen", Postings.move(rows, "cash", who, "media", NOBODY, rows.amount))
        return fx

    def expose(self, view: View) -> Effects:
        """Strangers who are shown a post open it or scroll on."""
        sent = view.content("image_post")
        session, read = feed.opened(view, "channels.image_posts/open", sent, self._click)
        if not session.size:
            return EMPTY
        fx, count = Effects(), len(view.sessions)
        fx.event("post_opened", feed.deeds(view, "post_opened", session, read))
        fx.expose(
            view.channel("image_posts"),
            session,
            read.product,
            cause=read.event,
            appeal=self._appeal[read.merchant],
            salience=self._salience[read.merchant],
        )
        fx.note("read_image_posts", feed.by_session(count, session, read.event))
        feed.prompt(fx, "image_posts", count, session, read, self._follow[read.merchant])
        return fx
