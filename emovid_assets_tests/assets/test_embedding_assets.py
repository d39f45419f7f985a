"""Embeddings, map and separability as assets: on planted embeddings, on a demo, and with a vision model."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from emovid_assets.core import growing_map
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore, QuarantinedItem
from emovid_assets_tests.assets.homes import Demo, all_rows, build, draw_gif, errors_of, report_of, rows
from emovid_assets_tests.planted_tables import plant, valid_row
from emovid_assets_tests.resources.tiny_models import tiny_clip

pytestmark = pytest.mark.integration

MAP = "key:embedding_map or key:embedding_separability"


def clip_id(domain: str, number: int) -> str:
    return f"{domain}-{number:016x}-00000000-00004000"


def plant_embeddings(home: Path, per_domain: int, distance: float, **changes: Any) -> None:
    """Domains `distance` spreads apart in the first of three features; every fourth clip has no label."""
    for index, domain in enumerate(DOMAINS):
        random = np.random.default_rng(index)
        shift = np.array([index * distance, 0, 0])
        planted = [
            valid_row("clip_embeddings", number, domain)
            | {"clip_id": clip_id(domain, number), "embedding": (random.normal(size=3) + shift).tolist()}
            | {"dimension": 3, "model_id": "embedded/measured-features", "model_revision": "1"}
            | changes
            for number in range(per_domain)
        ]
        plant(home, "clip_embeddings", planted, domain)
        labels = [
            valid_row("emotion_labels", number, domain)
            | {"clip_id": clip_id(domain, number), "emotion": EMOTION_NAMES[number % 8]}
            for number in range(per_domain)
            if number % 4
        ]
        plant(home, "emotion_labels", labels, domain)


def computed(home: Path) -> dict[str, int | None]:
    (report,) = build(home, selection=MAP)
    assert report.error is None
    assert [check for check in report.failed_checks if check.is_error] == []
    return {one.asset: one.computed for one in report.assets}


@pytest.mark.parametrize("per_domain", [0, 1, 2, 12])
def test_every_clip_is_on_the_map_with_its_domain_and_its_label_if_it_has_one(tmp_path: Path, per_domain: int) -> None:
    plant_embeddings(tmp_path, per_domain, 3.0)
    computed(tmp_path)
    found = {row["clip_id"]: row for row in rows(tmp_path, "embedding_map")}
    assert len(found) == 3 * per_domain
    for domain in DOMAINS:
        for number in range(per_domain):
            row = found[clip_id(domain, number)]
            assert (row["domain"], row["emotion"]) == (domain, EMOTION_NAMES[number % 8] if number % 4 else None)


def test_the_map_is_not_drawn_again_unless_an_embedding_is_new(tmp_path: Path) -> None:
    plant_embeddings(tmp_path, 12, 3.0)
    assert computed(tmp_path) == {"embedding_map": 1, "embedding_separability": 1}
    before = rows(tmp_path, "embedding_map")
    assert computed(tmp_path) == {"embedding_map": 0, "embedding_separability": 0}
    assert rows(tmp_path, "embedding_map") == before
    # Another label moves no point, but changes what is separate.
    label = valid_row("emotion_labels", 1, "movie") | {"clip_id": clip_id("movie", 1), "emotion": "fear"}
    plant(tmp_path, "emotion_labels", [label])
    assert computed(tmp_path) == {"embedding_map": 0, "embedding_separability": 1}
    assert [(row["x"], row["y"]) for row in rows(tmp_path, "embedding_map")] == [(r["x"], r["y"]) for r in before]
    plant_embeddings(tmp_path, 13, 3.0)
    assert computed(tmp_path) == {"embedding_map": 1, "embedding_separability": 1}


def test_a_clip_that_comes_later_is_put_among_the_others_and_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing_map, "FEWEST_KEPT", 30)
    plant_embeddings(tmp_path, 12, 3.0)
    computed(tmp_path)
    before = {row["clip_id"]: row for row in rows(tmp_path, "embedding_map")}
    assert {(row["is_added"], row["laid_out_count"]) for row in before.values()} == {(False, 36)}
    plant_embeddings(tmp_path, 13, 3.0)
    assert computed(tmp_path) == {"embedding_map": 1, "embedding_separability": 1}
    after = {row["clip_id"]: row for row in rows(tmp_path, "embedding_map")}
    new = {clip_id(domain, 12) for domain in DOMAINS}
    assert {name for name, row in after.items() if row["is_added"]} == new == after.keys() - before.keys()
    assert {row["laid_out_count"] for row in after.values()} == {36}
    assert {name: after[name] for name in before} == before
    plant_embeddings(tmp_path, 14, 3.0)
    # Six of 36 are more than a tenth.
    computed(tmp_path)
    found = rows(tmp_path, "embedding_map")
    assert {(row["is_added"], row["laid_out_count"]) for row in found} == {(False, 42)}


def test_a_map_that_has_grown_is_made_anew_where_the_settings_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing_map, "FEWEST_KEPT", 30)
    plant_embeddings(tmp_path, 12, 3.0)
    computed(tmp_path)
    plant_embeddings(tmp_path, 13, 3.0)
    computed(tmp_path)
    grown = rows(tmp_path, "embedding_map")
    (tmp_path / "emovid.toml").write_text("[embeddings]\nmap_change = 0\n", encoding="utf-8")
    computed(tmp_path)
    anew = rows(tmp_path, "embedding_map")
    assert [row["is_added"] for row in anew] == [False] * 39 != [row["is_added"] for row in grown]
    # It is that of a home that has all of them from the beginning.
    plant_embeddings(tmp_path / "other", 13, 3.0)
    computed(tmp_path / "other")
    assert rows(tmp_path / "other", "embedding_map") == anew


def test_above_the_limit_separability_is_measured_on_a_fair_sample(tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_text("[embeddings]\nseparability_clips = 45\n", encoding="utf-8")
    plant_embeddings(tmp_path, 40, 4.0)
    computed(tmp_path)
    found = {(row["grouping"], row["group_name"]): row for row in rows(tmp_path, "embedding_separability")}
    counts = {name: (row["clip_count"], row["mapped_count"]) for name, row in found.items()}
    assert {name: counts["domain", name] for name in ("all", *DOMAINS)} == {"all": (45, 120)} | dict.fromkeys(
        DOMAINS, (15, 40)
    )
    assert counts["emotion", "all"] == (45, 90)
    # What lies four spreads apart is nearly as separate in a sample as in all of it.
    (tmp_path / "emovid.toml").unlink()
    computed(tmp_path)
    whole = {(row["grouping"], row["group_name"]): row for row in rows(tmp_path, "embedding_separability")}
    assert whole["domain", "all"]["clip_count"] == whole["domain", "all"]["mapped_count"] == 120
    sampled, of_all = found["domain", "all"], whole["domain", "all"]
    assert sampled["silhouette"] != of_all["silhouette"]
    assert sampled["silhouette_low"] < of_all["silhouette"] < sampled["silhouette_high"]


def test_separability_is_that_of_the_standardised_embeddings_of_all_domains(tmp_path: Path) -> None:
    plant_embeddings(tmp_path, 24, 4.0)
    computed(tmp_path)
    embedded = all_rows(tmp_path, "clip_embeddings")
    vectors = StandardScaler().fit_transform([row["embedding"] for row in embedded])
    found = {(row["grouping"], row["group_name"]): row for row in rows(tmp_path, "embedding_separability")}
    expected = silhouette_score(vectors, [row["domain"] for row in embedded])
    assert found["domain", "all"]["silhouette"] == pytest.approx(expected)
    assert found["domain", "all"]["purity_p"] == 0.001
    assert found["emotion", "all"]["corrected_purity"] < 0.2 < 0.35 < found["domain", "all"]["corrected_purity"]
    # Clips without a label have no emotion to be separate by.
    assert (found["domain", "all"]["clip_count"], found["emotion", "all"]["clip_count"]) == (72, 54)


def test_above_the_limit_the_map_is_a_fair_sample(tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_text("[embeddings]\nmap_clips = 30\n", encoding="utf-8")
    plant_embeddings(tmp_path, 40, 3.0)
    computed(tmp_path)
    found = rows(tmp_path, "embedding_map")
    assert len(found) == 30
    assert Counter(row["domain"] for row in found) == {"movie": 10, "animation": 10, "sticker": 10}
    assert {row["emotion"] for row in found} == {*EMOTION_NAMES, None} - {"amusement", "anger"}


def test_embeddings_of_another_model_are_left_out_and_told_of(tmp_path: Path) -> None:
    plant_embeddings(tmp_path, 8, 3.0)
    other = valid_row("clip_embeddings", 0, "sticker") | {"clip_id": clip_id("sticker", 0), "embedding": [1.0]}
    plant(tmp_path, "clip_embeddings", [other | {"dimension": 1, "model_id": "clip"}], "sticker")
    (report,) = build(tmp_path, selection=MAP)
    assert {row["domain"] for row in rows(tmp_path, "embedding_map")} == {"movie", "animation"}
    assert [check.check for check in report.failed_checks] == ["one_model_for_all_domains"]


def test_the_demo_has_an_embedding_for_every_clip_and_all_of_them_are_mapped(demo: Demo) -> None:
    clips = {row["clip_id"]: row["domain"] for row in all_rows(demo.home, "clips")}
    embedded = all_rows(demo.home, "clip_embeddings")
    assert {row["clip_id"]: row["domain"] for row in embedded} == clips
    assert {(len(row["embedding"]), row["dimension"], row["model_id"]) for row in embedded} == {
        (50, 50, "embedded/measured-features")
    }
    mapped = rows(demo.home, "embedding_map")
    assert {row["clip_id"]: row["domain"] for row in mapped} == clips
    labels = {row["clip_id"]: row["emotion"] for row in all_rows(demo.home, "emotion_labels")}
    assert {row["clip_id"]: row["emotion"] for row in mapped} == {name: labels.get(name) for name in clips}


def test_with_a_vision_model_a_new_clip_is_embedded_and_no_other(tmp_path: Path) -> None:
    tiny_clip(tmp_path / "models/tiny")
    (tmp_path / "emovid.toml").write_text('[embeddings]\nmodel = "models/tiny"\n', encoding="utf-8")
    library = tmp_path / "library/sticker"
    draw_gif(library / "a.gif")
    draw_gif(library / "b.gif", (10, 200, 40))

    def embedded() -> int | None:
        reports = build(tmp_path, domains=["sticker"], selection="+key:clip_embeddings")
        assert errors_of(reports) == []
        return report_of(reports, "clip_embeddings", "sticker").computed

    assert embedded() == 2
    first = {row["clip_id"]: row["embedding"] for row in rows(tmp_path, "clip_embeddings", "sticker")}
    assert embedded() == 0
    draw_gif(library / "c.gif", (10, 20, 240))
    assert embedded() == 1
    found = {row["clip_id"]: row for row in rows(tmp_path, "clip_embeddings", "sticker")}
    assert len(found) == 3
    assert {name: found[name]["embedding"] for name in first} == first
    assert {(row["model_id"], row["dimension"]) for row in found.values()} == {("tiny", 24)}
    (library / "a.gif").unlink()
    assert embedded() == 0
    assert len(rows(tmp_path, "clip_embeddings", "sticker")) == 2


def test_what_a_vision_model_could_not_take_leaves_the_quarantine_where_none_is_asked(tmp_path: Path) -> None:
    store = ItemStore(Home(tmp_path).state)
    failed = QuarantinedItem("one", "key", path=None, code="decode", message="", input_sha256=None, code_version="1")
    store.settle("embed", "sticker", [], [failed])
    reports = build(tmp_path, domains=["sticker"], selection="+key:clip_embeddings")
    assert errors_of(reports) == []
    assert store.failures("sticker", "embed") == []


def test_a_model_that_is_missing_fails_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_text('[embeddings]\nmodel = "./nowhere"\n', encoding="utf-8")
    reports = build(tmp_path, domains=["sticker"], selection="+key:clip_embeddings")
    (error,) = errors_of(reports)
    assert error.startswith("clip_embeddings: embeddings.model = './nowhere': there is no config.json in ")
