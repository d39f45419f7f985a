"""Checks of the embeddings: usable vectors, and one model for all domains."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.assets.partitions import by_domain, domain_partitions
from emovid_assets.core.embedding_map import EMBEDDED
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import ROWS_AT_ONCE

LENGTH_SLACK = 1e-3
EMBEDDINGS_AT_ONCE = 8192
MODEL = ("model_id", "model_revision", "dimension")
"""What embeddings must have in common to be compared."""


@dg.asset_check(
    asset="clip_embeddings",
    description="Embeddings are finite, of one model and size; those of a vision model have length 1.",
    blocking=True,
    partitions_def=domain_partitions,
)
def embeddings_are_usable(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    columns = ("clip_id", "embedding", *MODEL)
    faults: list[str] = []
    models: set[tuple[Any, ...]] = set()
    for part in project.warehouse.parts("clip_embeddings", context.partition_key, columns, EMBEDDINGS_AT_ONCE):
        faults += [f"{row['clip_id']}: {fault}" for row in _doubtful(part) if (fault := _fault(row["embedding"], row))]
        models.update(tuple(row.values()) for row in part.group_by(list(MODEL)).aggregate([]).to_pylist())
    if len(models) > 1:
        faults.append(f"{len(models)} models or sizes in one domain")
    facts = {"faults": len(faults), "first": "; ".join(faults[:3])}
    return dg.AssetCheckResult(passed=not faults, metadata=by_domain(facts, context.partition_key))


def _doubtful(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows of those batches in which anything may be wrong: as Python lists, a million embeddings take 32 GB."""
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        if not _are_usable(batch):
            yield from batch.to_pylist()


def _are_usable(batch: pa.RecordBatch) -> bool:
    """Whether all embeddings have the dimension of the first row, are finite, and have length 1 where one must."""
    sizes = np.unique(np.concatenate([pc.list_value_length(batch["embedding"]), batch["dimension"]]))
    if len(sizes) != 1:
        return False
    vectors = batch["embedding"].flatten().to_numpy().reshape(len(batch), -1).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    is_measured = pc.starts_with(batch["model_id"], EMBEDDED).to_numpy(zero_copy_only=False)
    return bool(np.isfinite(lengths).all() and (is_measured | (np.abs(lengths - 1) <= LENGTH_SLACK / 2)).all())


def _fault(embedding: list[float], row: dict[str, object]) -> str | None:
    vector = np.asarray(embedding, np.float64)
    if len(vector) != row["dimension"]:
        return f"{len(vector)} numbers instead of {row['dimension']}"
    if not np.isfinite(vector).all():
        return "not finite"
    length = float(np.linalg.norm(vector))
    if not str(row["model_id"]).startswith(EMBEDDED) and abs(length - 1) > LENGTH_SLACK:
        return f"length {length:.3g} instead of 1"
    return None


@dg.asset_check(
    asset="embedding_map",
    description="All domains are embedded by the same model; others cannot be on one map.",
)
def one_model_for_all_domains(project: Project) -> dg.AssetCheckResult:
    rows = (
        project.read("clip_embeddings", columns=("domain", *MODEL))
        .group_by(["domain", *MODEL])
        .aggregate([])
        .to_pylist()
    )
    models = sorted({(row["domain"], f"{row['model_id']}@{row['model_revision']}") for row in rows})
    kinds = {(row["model_id"], row["model_revision"], row["dimension"]) for row in rows}
    return dg.AssetCheckResult(
        passed=len(kinds) <= 1,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"models": ", ".join(f"{domain}: {model}" for domain, model in models)},
    )


EMBEDDING_CHECKS = [embeddings_are_usable, one_model_for_all_domains]
