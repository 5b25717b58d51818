"""The listing: by which words a merchant's goods are found in search, and who has heard its name.

Every merchant has a listing; one that does not name this mechanism has an ordinary one (8 keywords, a middling title,
no renown). What it decides stands in `platform.search_engine` and `people.search_intent`: more keywords are found by
more wordings of a query, but rank lower beyond what the search engine tolerates; a title that says well what is sold
ranks as 0.5 + title; whoever has heard the name can type it. Here is only what readers see of it: a title crammed
with words is tiresome, and each keyword beyond `readable` takes `clutter` off the utility of the merchant's goods,
wherever they are shown. So there is a number of keywords that sells most.

It cannot: choose the words themselves, list products one by one, or make a name known (renown is given).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sim.contract import EMPTY, Effects, Mechanism, View
from sim.params import Params, Setting, param
from sim.units import Array
from sim.words import _
from sim.world.state import Column

KEYWORDS, TITLE = 8, 0.5  # of an ordinary listing (assumed)


class ListingParams(Params):
    """How the goods are listed."""

    needs = ("platform.search_engine",)

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """A name that nobody types."""
        intent: Any = around.on.get("people.search_intent")
        if self.renown and (intent is None or not intent.by_name):
            yield "renown", _("nobody types a name; write `people: {search_intent: {by_name: 0.2}}`")

    keywords: int = param(KEYWORDS, "keywords of each listing", unit="keywords", ge=0, le=200)
    title: float = param(TITLE, "how well titles say what is sold, 0.5 is middling", unit="0..1", ge=0, le=1)
    renown: float = param(0.0, "people who have heard the merchant's name", unit="share", ge=0, le=1)
    readable: int = param(12, "keywords up to which a title reads well", unit="keywords", ge=0, le=200)
    clutter: float = param(0.02, "utility lost with each keyword beyond", unit="utility", ge=0, le=5)


class Listing(Mechanism):
    """Says how goods are listed, and what crammed titles cost."""

    Params = ListingParams
    columns = (
        Column("merchant", "keywords", np.int32, KEYWORDS, "keywords of its listings"),
        Column("merchant", "title", np.float64, TITLE, "how well its titles say what is sold, 0..1"),
        Column("merchant", "renown", np.float64, 0, "share of people who have heard its name"),
    )

    def prepare(self) -> None:
        self._keywords = self.per_merchant("keywords", KEYWORDS, np.int32)
        beyond = np.maximum(self._keywords - self.per_merchant("readable", 0, np.int32), 0)
        self._lost = self.per_merchant("clutter") * beyond

    def initial(self) -> Mapping[tuple[str, str], Array]:
        return {
            ("merchant", "keywords"): self._keywords,
            ("merchant", "title"): self.per_merchant("title", TITLE),
            ("merchant", "renown"): self.per_merchant("renown"),
        }

    def appraise(self, view: View) -> Effects:
        """Crammed titles are tiresome."""
        if not self._lost.any():
            return EMPTY
        fx = Effects()
        fx.appeal(-self._lost[view.exposures.merchant])
        return fx
