"""How the folder of a release is laid out: the names of its files (ADR 45).

Belongs here: names and what they mean. Does not belong here: what is in the files, and where releases lie
(`home.folders`).

    README.md                    data card, with the YAML that hubs and `datasets` read
    LICENSE.md  licences.csv     what may be done with what; every source with its licence, credit and permission
    decisions.csv                where a person has decided otherwise, with name and reason
    release.json                 version, tier, digest, counts, the release before
    croissant.json               Croissant 1.1 with the RAI vocabulary
    SHA256SUMS                   of every other file, as `sha256sum -c` reads it
    clips.csv                    all rows of all splits, for people without tools
    <split>/metadata.parquet     a row per clip; with <split>/<domain>/<clip_id>.mp4 a Hugging Face VideoFolder
    first_frames/<clip_id>.png   of benchmark clips, for image-to-video
    tables/<table>.parquet       answers of people, ratings, agreement, embeddings
    webdataset/<split>-000000.tar, webdataset/shards.json
    load.py  fiftyone/  label_studio/tasks.json
"""

from typing import Final, Literal, get_args

FORMAT: Final = 1
"""Raised where a release of the same rows would be laid out otherwise."""
Tier = Literal["full", "metadata"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)

README, LICENSE, RELEASE, CROISSANT = "README.md", "LICENSE.md", "release.json", "croissant.json"
SHA256SUMS, CLIPS_CSV, LICENCES_CSV, DECISIONS_CSV = "SHA256SUMS", "clips.csv", "licences.csv", "decisions.csv"
LOADER = "load.py"
METADATA = "metadata.parquet"
TABLES, FIRST_FRAMES, WEBDATASET, FIFTYONE = "tables", "first_frames", "webdataset", "fiftyone"
LABEL_STUDIO_TASKS = "label_studio/tasks.json"
SHARDS = f"{WEBDATASET}/shards.json"
PUBLISHED_TABLES: Final = ("human_annotations", "validation_ratings", "agreement_statistics", "clip_embeddings")
"""Tables of the warehouse that a release holds besides its rows; of clips, those of its clips only."""


def folder_name(version: str, tier: Tier) -> str:
    """Below the folder of releases: `1.0.0`, and `1.0.0+metadata` without media (build metadata in SemVer's sense: the
    same version of the data in another form)."""
    return version if tier == "full" else f"{version}+{tier}"


def clip_file(domain: str, clip_id: str, suffix: str) -> str:
    """`file_name` of a clip, below the folder of its split. `suffix` begins with a dot."""
    return f"{domain}/{clip_id}{suffix}"
