import numpy as np

from sim.world.categories import CATEGORIES, category, sharing_strength, taste_share
from sim.world.merchants import PLACES, PRODUCT, market
from sim.world.params import MerchantParams, ProductParams

TEA = MerchantParams(
    name="Tea House",
    products={
        "oolong": ProductParams(price=88.8, cost=31.5, category="tea", cycle_days=30, variants=("tin", "box", "loose")),
        "cup": ProductParams(price=40, category="home", giftable=False, popularity=0.5, quality=0.9),
    },
)
RIVAL = MerchantParams(category="jewellery", products={"ring": ProductParams(category="jewellery")})


def test_products_are_columns_in_the_order_of_the_scenario() -> None:
    got = market({"tea_house": TEA, "empty": MerchantParams(), "rival": RIVAL})
    assert got.merchant_names == ("Tea House", "empty", "rival")
    assert got.product_names == ("oolong", "cup", "ring")
    assert {name: got.product[name].tolist() for name in PRODUCT} == {
        "merchant": [0, 0, 2],
        "number": [0, 1, 2 * PLACES],
        "category": [category("tea"), category("home"), category("jewellery")],
        "price": [8_880, 4_000, 17_200],
        "customary": [8_880, 4_000, 17_200],
        "cost": [3_150, 2_000, 8_600],
        "quality": [0.7, 0.9, 0.7],
        "cycle_days": [30.0, 0.0, 0.0],
        "giftable": [True, False, True],
        "weight": [1.0, 0.5, 1.0],
        "sharing": [1.0, 1.0, 1.0],
    }
    assert all(got.product[name].dtype == dtype for name, (dtype, _) in PRODUCT.items())


def test_variants_belong_to_products() -> None:
    got = market({"tea_house": TEA, "rival": RIVAL})
    assert got.variant_start.tolist() == [0, 3, 4, 5]
    assert got.variant_product.tolist() == [0, 0, 0, 1, 2]
    assert got.variant_names == ("tin", "box", "loose", "standard", "standard")


def test_main_category_is_stated_or_that_of_the_first_product() -> None:
    got = market({"tea_house": TEA, "empty": MerchantParams(), "rival": RIVAL})
    assert got.merchant["category"].tolist() == [category("tea"), -1, category("jewellery")]


def test_no_merchant_at_all() -> None:
    got = market({})
    assert got.product["price"].size == got.variant_product.size == 0
    assert got.variant_start.tolist() == [0]


def test_categories_rank_as_the_facts_say() -> None:
    strength = dict(zip(CATEGORIES, sharing_strength().tolist(), strict=True))
    assert min(strength["food"], strength["clothes"]) > strength["tea"] > strength["appliances"]
    assert np.isclose(taste_share().sum(), 1)
    assert (taste_share() > 0).all()
    assert {"jewellery", "education"} <= set(CATEGORIES)  # those that may not be given as a gift
