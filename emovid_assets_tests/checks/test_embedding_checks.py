"""The checks of the embeddings, each broken once on purpose and kept once."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets_tests.checks.running import evaluate, shown
from emovid_assets_tests.planted_tables import plant, valid_row

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def embedding(number: int, vector: list[float], domain: str = "movie", **changes: Any) -> dict[str, Any]:
    given = {"embedding": vector, "dimension": len(vector), "model_id": "clip"} | changes
    return valid_row("clip_embeddings", number, domain) | {"model_revision": "1"} | given


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (embedding(1, [0.6, 0.8]), None),
        (embedding(1, [0.6, 0.8], dimension=3), "2 numbers instead of 3"),
        (embedding(1, [0.6, float("nan")]), "not finite"),
        (embedding(1, [0.6, 0.9]), "length 1.08 instead of 1"),
        (embedding(1, [0.0, 1.0], model_revision="2"), "2 models or sizes in one domain"),
        (embedding(1, [1.0]), "2 models or sizes in one domain"),
    ],
)
def test_an_embedding_has_to_be_usable(tmp_path: Path, row: dict[str, Any], fault: str | None) -> None:
    plant(tmp_path, "clip_embeddings", [embedding(0, [1.0, 0.0]), row])
    found = evaluate(tmp_path, "clip_embeddings", "embeddings_are_usable")
    assert (found.passed, found.severity) == (fault is None, ERROR)
    assert (fault or "") in str(shown(found, "first"))


def test_measured_features_may_have_any_length(tmp_path: Path) -> None:
    plant(tmp_path, "clip_embeddings", [embedding(0, [3.0, 4.0], model_id="embedded/measured-features")])
    assert evaluate(tmp_path, "clip_embeddings", "embeddings_are_usable").passed


@pytest.mark.parametrize(("model_id", "is_good"), [("clip", True), ("siglip", False)])
def test_domains_of_two_models_are_told_of(tmp_path: Path, model_id: str, is_good: bool) -> None:
    plant(tmp_path, "clip_embeddings", [embedding(0, [1.0])])
    plant(tmp_path, "clip_embeddings", [embedding(0, [1.0], "sticker", model_id=model_id)], "sticker")
    found = evaluate(tmp_path, "embedding_map", "one_model_for_all_domains", None)
    assert (found.passed, found.severity) == (is_good, WARN)
    assert shown(found, "models") == f"movie: clip@1, sticker: {model_id}@1"


def test_no_embeddings_break_no_rule(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "clip_embeddings", "embeddings_are_usable").passed
    assert evaluate(tmp_path, "embedding_map", "one_model_for_all_domains", None).passed
