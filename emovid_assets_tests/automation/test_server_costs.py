"""What `emovid plan` says a server will cost, from settings, clips and what finished ones have cost."""

from pathlib import Path

import pytest

from emovid_assets.layout import Home
from emovid_assets.plan import PlannedAsset
from emovid_assets.resources.item_store import FinishedItem, ItemStore
from emovid_assets.server_costs import server_costs
from emovid_assets_tests.planted_tables import plant, valid_row

SETTINGS = """
[captioner]
backend = "endpoint"
model = "tiny"
base_url = "http://127.0.0.1:1/v1"
frames = 4
frame_side_px = 280
prompt_price = 2.0
output_price = 10.0
"""


def left(asset: str, domain: str, items: int | None) -> PlannedAsset:
    return PlannedAsset(asset, domain, "stale", "", items, False, None)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "emovid.toml").write_text(SETTINGS, encoding="utf-8")
    plant(tmp_path, "clips", [valid_row("clips", number, width_px=560, height_px=280) for number in range(3)])
    return Home(tmp_path)


def test_before_the_first_answer_tokens_are_assumed_from_the_size_of_the_clips(home: Home) -> None:
    costs = server_costs(
        home, [left("captions", "movie", 70), left("captions", "sticker", 30), left("vlm_labels", "movie", 9)]
    )
    assert costs.keys() == {"captions"}, "labels are not asked of a server"
    # 280 × 140 px are 10 × 5 tokens, four frames of them, and 120 of words.
    assert (costs["captions"].request_count, costs["captions"].prompt_token_count) == (100, 100 * (4 * 50 + 120))
    assert costs["captions"].output_token_count == 100 * 80 * 1.4
    assert costs["captions"].price == pytest.approx((32_000 * 2 + 11_200 * 10) / 1e6)
    assert costs["captions"].hours is None
    assert costs["captions"].assumptions


def test_what_finished_clips_have_cost_takes_the_place_of_assumptions(home: Home) -> None:
    payload = {"attempt_count": 2, "prompt_token_count": 500, "output_token_count": 90, "model_s": 0.36}
    store = ItemStore(home.state)
    store.settle(
        "caption", "movie", [FinishedItem("a", 'x|1|{"backend": "endpoint"}', payload), FinishedItem("b", "local", {})]
    )
    store.close()
    (cost,) = server_costs(home, [left("captions", "movie", 1000)]).values()
    assert (cost.request_count, cost.prompt_token_count, cost.output_token_count) == (2000, 500_000, 90_000)
    assert cost.hours == pytest.approx(0.1)
    assert cost.assumptions == ()


def test_where_nothing_is_left_to_ask_nothing_is_said(home: Home) -> None:
    assert server_costs(home, [left("captions", "movie", 0), left("captions", "sticker", None)]) == {}
