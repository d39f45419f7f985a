"""The quarantine as people look at it: by asset and domain.

Belongs here: which asset a failure belongs to, the domain of what failed in a step over all domains, and the table of
both. Does not belong here: keeping failures (`item_store`), trying again (`compute`).
"""

from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa

from emovid_assets.core.identity import domain_of
from emovid_assets.resources.item_store import Failure, ItemStore
from emovid_assets.resources.workplace import ALL_DOMAINS
from emovid_assets.tables.registry import TABLES

STEP_ASSETS = {
    "library": "source_videos",
    "probe": "source_videos",
    "scan": "scanned_segments",
    "clip_file": "clip_media",
    "fingerprint": "clip_fingerprints",
    "first_frame": "benchmark_split",
    "embed": "clip_embeddings",
    "label": "vlm_labels",
    "label_held_out": "emotion_labeller",
    "label_zero_shot": "emotion_labeller",
    "caption": "captions",
    "generate": "generated_videos",
    "read_generated": "generated_videos",
    "imported_videos": "generated_videos",
    "measure_video": "generation_features",
    "score_video": "generation_features",
    "encode_clip": "generation_features",
    "label_generated": "generation_scores",
    "filmstrip": "generation_filmstrips",
}
"""The asset under which a step's failures appear in `processing_errors`."""


def quarantined(store: ItemStore, domain: str) -> list[Failure]:
    """What of a domain has failed, in steps over all domains too: their items are clips, and ids name the domain."""
    of_all = (failure for failure in store.failures(ALL_DOMAINS) if domain_of(failure.item_id) == domain)
    return [*store.failures(domain), *(replace(failure, domain=domain) for failure in of_all)]


def quarantine_table(failures: Iterable[Failure]) -> pa.Table:
    """`processing_errors` of these failures."""
    rows = (
        {
            **{name: value for name, value in vars(failure).items() if name != "step"},
            "asset": STEP_ASSETS[failure.step],
        }
        for failure in failures
    )
    return TABLES["processing_errors"].from_rows(rows)
