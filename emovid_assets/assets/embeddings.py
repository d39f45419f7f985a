"""Stage 4b: embeddings of the clips, their map, and how separate domains and emotions are in them.

Belongs here: `clip_embeddings`, `embedding_map`, `embedding_separability`.
"""

import hashlib
from collections import Counter
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.assets.pictures import domain_map, emotion_map, separability_plot
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, markdown_table, result, table_asset
from emovid_assets.core import embedding_map as mapping
from emovid_assets.core import growing_map
from emovid_assets.core import separability as separating
from emovid_assets.core.embedded_labeller import measured_features
from emovid_assets.core.growing_map import GrownMap, digests_of, grown
from emovid_assets.core.identity import source_of
from emovid_assets.core.model_place import find_model
from emovid_assets.core.separability import ALL
from emovid_assets.resources import embeddings
from emovid_assets.resources.evidence import evidence_of
from emovid_assets.resources.project import Project
from emovid_assets.tables.chunks import taken
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.embeddings import SEPARATED
from emovid_assets.tables.registry import TABLES

GROUP = "embeddings"
FEATURES_ID, FEATURES_REVISION = "embedded/measured-features", "1"
"""The revision changes when `measured_features` gives other numbers for the same clip."""


@table_asset(
    group=GROUP,
    code_version=f"1.{FEATURES_REVISION}.{embeddings.VERSION}",
    kinds=["numpy"],
    settings=["embedding_settings"],
    pool=MODEL_POOL,
)
def clip_embeddings(
    context: dg.AssetExecutionContext,
    project: Project,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
) -> Rows:
    domain, name = context.partition_key, project.settings.embeddings.model
    if name == "embedded":
        project.leave_out(domain, embeddings.STEP)
        model_id, revision = FEATURES_ID, FEATURES_REVISION
        vectors = (
            (clip.clip_id, measured_features(clip).astype(np.float32), clip.features["sampled_pts_s"])
            for clip in evidence_of(clip_features, colour_attributes)
        )
        shown: dict[str, Any] = {}
    else:
        place = find_model(name, project.home.root, project.settings.embeddings.revision)
        model_id, revision = place.model_id, place.revision
        stamps = {row["clip_id"]: row["sampled_pts_s"] for row in each_row(clip_features, ("clip_id", "sampled_pts_s"))}
        outcome = embeddings.embed(project, domain, place, each_row(clip_media), stamps, context.log)
        vectors = (
            (clip_id, embeddings.vector_of(payload), stamps[clip_id]) for clip_id, payload in outcome.payloads.items()
        )
        shown = {"failures": outcome.failures, "computed_count": outcome.computed_count}
    rows = (
        {
            "clip_id": clip_id,
            "domain": domain,
            "embedding": vector,
            "dimension": len(vector),
            "model_id": model_id,
            "model_revision": revision,
            "frame_pts_s": times_s,
        }
        for clip_id, vector, times_s in vectors
    )
    return result(
        "clip_embeddings",
        TABLES["clip_embeddings"].from_rows(rows),
        metadata={"model": f"{model_id}@{revision}"},
        **shown,
    )


@table_asset(
    group=GROUP,
    code_version=f"2.{mapping.VERSION}.{growing_map.VERSION}",
    kinds=["sklearn"],
    settings=["map_settings", "seed"],
    pool=MODEL_POOL,
)
def embedding_map(project: Project, clip_embeddings: pa.Table, emotion_labels: pa.Table) -> Rows:
    settings, seed = project.settings.embeddings, project.settings.seed
    labels = dict(zip(emotion_labels["clip_id"].to_pylist(), emotion_labels["emotion"].to_pylist(), strict=True))
    known = rows_of(clip_embeddings, ["clip_id", "domain", "dimension", "model_id", "model_revision"])
    model = _most_used_model(known)
    of_model = {row["clip_id"]: row["domain"] for row in known if _model(row) == model}
    described = ((clip_id, domain, labels.get(clip_id) or "") for clip_id, domain in of_model.items())
    chosen = sorted(mapping.fair_sample(described, settings.map_clips, seed))
    embeddings_of_chosen = _vectors(clip_embeddings, chosen)
    key = f"{mapping.VERSION}|{growing_map.VERSION}|{'@'.join(map(str, model))}"
    kept = project.recalled("embedding_map", key)
    former = GrownMap.of_payload(kept) if kept else None
    found = grown(
        former,
        chosen,
        digests_of(embeddings_of_chosen),
        mapping.comparable(embeddings_of_chosen, model[0]),
        most_change=settings.map_change,
    )
    if found is not former:
        project.remember("embedding_map", key, found.as_payload())
    rows = [
        {
            "clip_id": clip_id,
            "domain": of_model[clip_id],
            "emotion": labels.get(clip_id),
            "x": float(x),
            "y": float(y),
            "is_added": bool(is_added),
            "laid_out_count": found.laid_out,
            "model_id": model[0],
            "model_revision": model[1],
        }
        for clip_id, (x, y), is_added in zip(chosen, found.places, found.is_added, strict=True)
    ]
    return result(
        "embedding_map",
        TABLES["embedding_map"].from_rows(rows),
        computed_count=int(found is not former),
        metadata={
            "by_domain": domain_map(rows),
            "by_emotion": emotion_map(rows),
            "model": f"{model[0]}@{model[1]}",
            "clips_of_other_models_left_out": len(known) - len(of_model),
            "clips_not_sampled": len(of_model) - len(chosen),
            "perplexity": mapping.perplexity_for(found.laid_out),
            "made_anew_of": found.laid_out,
            "added_since": found.added,
        },
    )


@table_asset(
    group=GROUP, code_version=f"2.{separating.VERSION}", kinds=["numpy"], settings=["neighbour_settings", "seed"]
)
def embedding_separability(project: Project, clip_embeddings: pa.Table, embedding_map: pa.Table) -> Rows:
    settings, seed = project.settings.embeddings, project.settings.seed
    there = set(clip_embeddings["clip_id"].to_pylist())
    # A map that is older than the embeddings may show clips that are gone.
    mapped = [
        row for row in rows_of(embedding_map, ["clip_id", "domain", "emotion", "model_id"]) if row["clip_id"] in there
    ]
    vectors = mapping.comparable(
        _vectors(clip_embeddings, [row["clip_id"] for row in mapped]), mapped[0]["model_id"] if mapped else ""
    )
    described = [f"{row['clip_id']} {row['domain']} {row['emotion']}" for row in mapped]

    def make() -> dict[str, Any]:
        found = []
        for grouping in SEPARATED:
            known = [row for row in mapped if row[grouping] is not None]
            sizes = Counter(row[grouping] for row in known) | Counter({ALL: len(known)})
            parts = ((row["clip_id"], row["domain"], row["emotion"] or "") for row in known)
            sample = mapping.fair_sample(parts, settings.separability_clips, seed)
            used = [number for number, row in enumerate(mapped) if row["clip_id"] in sample]
            groups = [mapped[number][grouping] for number in used]
            sources = [source_of(mapped[number]["clip_id"]) for number in used]
            measured = separating.separability(
                vectors[used], groups, sources, neighbours=settings.neighbours, seed=seed
            )
            found += [{"grouping": grouping, "mapped_count": sizes[row["group_name"]], **row} for row in measured]
        return {"rows": found}

    sampled = f"{seed}|{settings.separability_clips}|{settings.neighbours}"
    key = f"{separating.VERSION}|{sampled}|{_digest(described, vectors)}"
    made, is_new = project.remembered("embedding_separability", key, make)
    counts = ("mapped_count", "clip_count")
    columns = ("grouping", "group_name", *counts, "silhouette", "purity", "chance_purity", "purity_p")
    return result(
        "embedding_separability",
        TABLES["embedding_separability"].from_rows(made["rows"]),
        computed_count=int(is_new),
        metadata={
            "how_separate": markdown_table([{name: row[name] for name in columns} for row in made["rows"]]),
            "neighbours": separability_plot(made["rows"]),
        },
    )


def _model(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["model_id"], row["model_revision"], row["dimension"]


def _most_used_model(rows: list[dict[str, Any]]) -> tuple[str, str, int]:
    """Embeddings of two models have no common distances: after a change of model, until all domains are built."""
    counts = Counter(_model(row) for row in rows)
    return max(counts, key=lambda model: (counts[model], model), default=("", "", 0))


def _vectors(table: pa.Table, clip_ids: list[str]) -> np.ndarray:
    """float32 (clips, dimensions) in the order of the ids."""
    place = {clip_id: number for number, clip_id in enumerate(table["clip_id"].to_pylist())}
    if not clip_ids:
        return np.zeros((0, 1))
    chosen = taken(table.select(["embedding"]), np.array([place[clip_id] for clip_id in clip_ids]))
    flat: np.ndarray = pc.list_flatten(chosen["embedding"]).to_numpy()
    return flat.reshape(len(clip_ids), -1)


def _digest(names: list[str], vectors: np.ndarray) -> str:
    digest = hashlib.sha256("\n".join(names).encode())
    digest.update(repr(vectors.shape).encode() + np.ascontiguousarray(vectors, "<f8").tobytes())
    return digest.hexdigest()[:32]
