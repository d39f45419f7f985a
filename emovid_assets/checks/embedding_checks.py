"""Checks of the embeddings: usable vectors, and one model for all domains."""

import dagster as dg
import numpy as np

from emovid_assets.assets.partitions import by_domain, domain_partitions
from emovid_assets.core.embedding_map import EMBEDDED
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of

LENGTH_SLACK = 1e-3


@dg.asset_check(
    asset="clip_embeddings",
    description="Embeddings are finite, of one model and size; those of a vision model have length 1.",
    blocking=True,
    partitions_def=domain_partitions,
)
def embeddings_are_usable(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    rows = rows_of(project.read("clip_embeddings", context.partition_key))
    faults = [f"{row['clip_id']}: {fault}" for row in rows if (fault := _fault(row["embedding"], row))]
    models = {(row["model_id"], row["model_revision"], row["dimension"]) for row in rows}
    if len(models) > 1:
        faults.append(f"{len(models)} models or sizes in one domain")
    facts = {"faults": len(faults), "first": "; ".join(faults[:3])}
    return dg.AssetCheckResult(passed=not faults, metadata=by_domain(facts, context.partition_key))


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
    rows = rows_of(project.read("clip_embeddings"), ["domain", "model_id", "model_revision", "dimension"])
    models = sorted({(row["domain"], f"{row['model_id']}@{row['model_revision']}") for row in rows})
    kinds = {(row["model_id"], row["model_revision"], row["dimension"]) for row in rows}
    return dg.AssetCheckResult(
        passed=len(kinds) <= 1,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"models": ", ".join(f"{domain}: {model}" for domain, model in models)},
    )


EMBEDDING_CHECKS = [embeddings_are_usable, one_model_for_all_domains]
