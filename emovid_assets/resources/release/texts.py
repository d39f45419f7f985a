"""The files of a release that people and programs read about it: card, licences, Croissant, and what other tools want.

Belongs here: asking `core.release` for each of them with what is known. Does not belong here: their words, and writing
them (`making`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.release import croissant_rai, fiftyone, label_studio
from emovid_assets.core.release.card import LIMITS, PAPER, PERSONAL, USES, CardFacts, card
from emovid_assets.core.release.card_yaml import CardFacts as FrontFacts
from emovid_assets.core.release.card_yaml import front_matter
from emovid_assets.core.release.credits import hub_license, licence_rows, licences_csv, license_md
from emovid_assets.core.release.croissant import CroissantFacts, as_json, croissant
from emovid_assets.core.release.decisions import decisions_csv
from emovid_assets.core.release.layout import (
    CLIPS_CSV,
    CROISSANT,
    DECISIONS_CSV,
    LABEL_STUDIO_TASKS,
    LICENCES_CSV,
    LICENSE,
    LOADER,
    README,
)
from emovid_assets.core.release.parts import Split, splits_of
from emovid_assets.resources.release import load
from emovid_assets.resources.release.content import Content
from emovid_assets.resources.release.facts import counted, each_left_out
from emovid_assets.resources.release.making import Said
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.release import RELEASE_CLIPS

OF_LICENCES = (
    *("source_id", "clip_id", "title", "license", "license_id", "attribution", "origin", "origin_url", "terms_url"),
    *("permission", "permission_code", "how", "encoding_reason"),
)


@dataclass(frozen=True)
class Background:
    """What a release says that is not in its rows: sentences about the protocol and what must be known first,
    statistics of agreement, and the name and version of the program."""

    name: str
    protocol: Sequence[str]
    warnings: Sequence[str]
    agreement: Sequence[Any]
    annotators_per_clip: str
    software: str
    has_shards: bool


def texts_of(content: Content, background: Background) -> Callable[[Said, Mapping[str, str]], dict[str, bytes]]:
    """What gives the texts, once it is known which version it is and what sums the other files have."""
    counts = counted(content.rows, content.tables["human_annotations"])
    about = rows_of(content.rows, OF_LICENCES)

    def texts(said: Said, sums: Mapping[str, str]) -> dict[str, bytes]:
        made = {
            LICENSE: license_md(about, content.tier).encode(),
            LICENCES_CSV: licences_csv(licence_rows(about)).encode(),
            DECISIONS_CSV: decisions_csv(content.decisions).encode(),
            LOADER: Path(load.__file__).read_bytes(),
        }
        facts = CardFacts(
            **counts,
            name=background.name,
            version=said.version,
            tier=content.tier,
            created_on=said.created_on,
            previous=said.previous,
            bump=said.bump,
            reasons=said.reasons,
            agreement=background.agreement,
            left_out=each_left_out(content.left_out),
            decision_count=len(content.decisions),
            is_non_commercial=content.is_non_commercial,
            protocol=background.protocol,
            warnings=background.warnings,
            software=background.software,
            shards=background.has_shards,
            tables=[name for name, table in content.tables.items() if table.num_rows],
        )
        made[README] = card(facts, front_matter(_front(content, background))).encode()
        if content.media:
            made |= _for_other_tools(content, background, said)
        made[CROISSANT] = as_json(croissant(_croissant(content, background, facts, said, sums)))
        return made

    return texts


def _for_other_tools(content: Content, background: Background, said: Said) -> dict[str, bytes]:
    name = f"{background.name} {said.version}"
    about = {"version": said.version, "digest": said.digest}
    return {
        fiftyone.METADATA: fiftyone.metadata_document(name, RELEASE_CLIPS, about),
        fiftyone.SAMPLES: b"".join(fiftyone.samples_document(each_row(content.rows), RELEASE_CLIPS)),
        label_studio.SCREEN: label_studio.screen(),
        LABEL_STUDIO_TASKS: b"".join(label_studio.tasks_document(each_row(content.rows), said.version)),
    }


def _splits(content: Content) -> Sequence[Split]:
    return splits_of((row["split"], row["file_name"]) for row in rows_of(content.rows, ["split", "file_name"]))


def _front(content: Content, background: Background) -> FrontFacts:
    return FrontFacts(
        pretty_name=background.name,
        splits=_splits(content),
        hub_licences=[hub_license(rows_of(content.rows, ["license", "permission", "permission_code"]))],
        license_name="per-clip",
        label_sources=sorted(set(content.rows["label_source"].to_pylist())),
        is_gated=content.is_non_commercial,
    )


def _croissant(
    content: Content, background: Background, facts: CardFacts, said: Said, sums: Mapping[str, str]
) -> CroissantFacts:
    tools = [f"{model} ({revision[:12]})" for _, model, revision, _ in facts.models]
    rai = croissant_rai.statements(
        machine_tools=tools,
        annotators_per_clip=background.annotators_per_clip,
        languages="Captions are in English; which languages are spoken in the clips was not recorded.",
    )
    annotations = content.tables["human_annotations"]
    return CroissantFacts(
        name=background.name,
        description=f"Video clips of films, animations and stickers, each with one of eight emotions. {PERSONAL}",
        version=said.version,
        digest=said.digest,
        published=said.created_on,
        licences=sorted({row["license_id"] for row in rows_of(content.rows, ["license_id"])}),
        cite_as=PAPER,
        creators=[background.software],
        splits=_splits(content),
        clips=RELEASE_CLIPS,
        files={path: digest for path, digest in sums.items() if path == CLIPS_CSV or path.startswith("tables/")},
        rai=rai | {"dataLimitations": list(LIMITS), "dataUseCases": list(USES)},
        annotations=TABLES["human_annotations"] if annotations.num_rows else None,
    )
