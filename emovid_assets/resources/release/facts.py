"""What a data card says of a release, counted on the rows that it holds and read off the views of the home.

Belongs here: counting. Does not belong here: words (`core.release.card`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emovid_assets.core.release.card import Agreement
from emovid_assets.home.settings import Settings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SHOWN_STATISTICS = (
    *("pooled_kappa_human_human", "pooled_kappa_human_vlm", "kappa_gap"),
    *("fleiss_kappa", "krippendorff_alpha"),
)
BROUGHT = "brought by whoever keeps the library"


def counted(rows: pa.Table, answers: pa.Table) -> dict[str, Any]:
    """The counts of `CardFacts`: of the rows of a release, and of the answers of people to its clips."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("released", rows)
        connection.register("answers", answers)
        return _counted(connection)


def _counted(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    def asked(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    def by(column: str) -> dict[tuple[str, str], int]:
        found = asked(f"select {column}, domain, count(*) from released group by all order by all")
        return {(value, domain): count for value, domain, count in found}

    domains = asked(
        "select domain, count(*), count(file_name), sum(duration_s) / 3600, avg(has_audio::integer) "
        "from released group by domain order by domain"
    )
    ((clip_count, media_count),) = asked("select count(*), count(file_name) from released")
    return {
        "clip_count": clip_count,
        "media_count": media_count,
        "domains": {domain: tuple(values) for domain, *values in domains},
        "splits": by("split"),
        "emotions": by("emotion"),
        "sources_of_labels": by("label_source"),
        "models": asked(
            "select 'label', vlm_model_id, coalesce(vlm_model_revision, ''), count(*) from released "
            "where vlm_model_id is not null and label_source = 'vlm' group by all union all "
            "select 'caption', caption_model_id, coalesce(caption_model_revision, ''), count(*) from released "
            "where caption_model_id is not null group by all order by all"
        ),
        "people": {
            purpose: (people, count)
            for purpose, people, count in asked(
                "select purpose, count(distinct annotator_id), count(*) from answers group by purpose order by purpose"
            )
        },
        "licences": asked(
            "select license_id, count(distinct source_id), count(*), count(file_name) from released "
            "group by license_id order by count(*) desc, license_id"
        ),
        "origins": asked(
            f"select coalesce(origin, '{BROUGHT}'), count(distinct source_id), count(*) from released "
            "group by all order by count(*) desc, 1"
        ),
    }


def agreement(statistics: pa.Table) -> list[Agreement]:
    """The statistics of all choices together, out of `agreement_statistics`."""
    return [
        Agreement(*(row[name] for name in ("scope", "statistic", "value", "low", "high", "clip_count")))
        for row in statistics.to_pylist()
        if row["emotion"] == "all" and row["statistic"] in SHOWN_STATISTICS and row["value"] is not None
    ]


def warnings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What must be known before the dataset is used, of the home's own view."""
    return [message for (message,) in connection.execute("select message from dataset_warnings").fetchall()]


def protocol(settings: Settings) -> list[str]:
    """How clips were cut and labelled, in sentences; the first two are of the collection."""
    scenes, annotation = settings.scenes, settings.annotation
    return [
        f"Films are cut into scenes by PySceneDetect's `{scenes.detector}` detector; scenes of {scenes.min_cut_s:g} to "
        f"{scenes.max_s:g} s are clips. Animations and stickers of {scenes.min_whole_s:g} to {scenes.max_s:g} s are "
        "one clip each.",
        "A clip file shows exactly the pictures of its interval; `how` says whether they are the source's own packets. "
        "Transparency is laid over white.",
        f"{annotation.human_fraction:.0%} of the clips of movies and animations are labelled by "
        f"{annotation.label_annotators} people each, with nine choices: the eight emotions and *no specific emotion*. "
        "The label is what most of them chose; clips without a majority, or without a specific emotion, are not in the "
        "dataset.",
        "Each sticker was collected under an emotion, and people accept or reject it.",
        "A model that has learnt from these labels labels the other clips of movies and animations.",
        "Clips of the benchmark are labelled by people, and reviewed a second time. Clips of one source video, film, "
        "equal bytes or equal looks are never on both sides.",
    ]


def counts_of(rows: pa.Table) -> Mapping[str, Any]:
    """What `release.json` counts."""
    domains: dict[str, dict[str, int]] = {}
    splits: dict[str, int] = {}
    chosen = rows.select(["domain", "split", "file_name"]).to_pylist()
    for row in chosen:
        of_domain = domains.setdefault(row["domain"], {"clips": 0, "media": 0})
        of_domain["clips"] += 1
        of_domain["media"] += row["file_name"] is not None
        splits[row["split"]] = splits.get(row["split"], 0) + 1
    media = sum(one["media"] for one in domains.values())
    return {
        "clip_count": len(chosen),
        "media_count": media,
        "metadata_only_count": len(chosen) - media,
        "domains": domains,
        "splits": splits,
    }


def each_left_out(left_out: Mapping[tuple[str, str], int]) -> Sequence[tuple[str, str, int]]:
    """(domain, reason, clips), the most first."""
    found = [(domain, reason, count) for (domain, reason), count in left_out.items()]
    return sorted(found, key=lambda one: (-one[2], one[0], one[1]))
