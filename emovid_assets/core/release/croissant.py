"""`croissant.json`: Croissant 1.1 with the vocabulary of responsible AI, written as JSON by ourselves (ADR 45).

Belongs here: the document. Does not belong here: what it says of how the data came about (`croissant_rai`), and
reading it, which mlcroissant does in the tests: its validation does not tell whether a record can be read.

Three things that mlcroissant 1.1.1 does decide the form. It reads the rows of a set of Parquet files only where these
are in no folder object, and the content of a set of videos only where they are in one. A folder needs a checksum like a
file, and gets the release's digest. A record set with references is read once from one `Dataset`, and what refers to it
is not read afterwards (findings/croissant_records_once.sh): so the answers of people refer to the column of the rows
rather than to the field of the clips.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from emovid_assets.core.emotions import EMOTIONS
from emovid_assets.core.release import layout
from emovid_assets.core.release.card import SPLIT_MEANINGS
from emovid_assets.core.release.croissant_rai import checked
from emovid_assets.core.release.described import DescribedColumn, DescribedTable, meaning_with_unit
from emovid_assets.core.release.parts import Split

CONFORMS_TO: Final = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES: Final[Mapping[pa.DataType, str]] = {
    pa.string(): "sc:Text",
    pa.int64(): "sc:Integer",
    pa.float64(): "sc:Float",
    pa.bool_(): "sc:Boolean",
    pa.timestamp("us", tz="UTC"): "sc:DateTime",
    pa.list_(pa.float64()): "sc:Float",
    pa.list_(pa.string()): "sc:Text",
}
_MEDIA_TYPES: Final = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".tar": "application/x-tar",
}
_STANDARD_SPLITS: Final = {"train": "cr:TrainingSplit", "benchmark": "cr:TestSplit"}


@dataclass(frozen=True)
class CroissantFacts:
    """What the document says.

    `version` is of the data, as SemVer; `digest` the 64 hex digits by which the release is known; `published` an ISO
    date; `licences` addresses or SPDX ids; `url` where the release can be had, null before anybody has pushed it.
    `files` are single files by their path below the release with their SHA-256: those that it lists as objects of
    their own. `rai` is described in `croissant_rai`. `annotations` is the table of the people's answers, null where the
    release has none.
    """

    name: str
    description: str
    version: str
    digest: str
    published: str
    licences: Sequence[str]
    cite_as: str
    creators: Sequence[str]
    splits: Sequence[Split]
    clips: DescribedTable
    files: Mapping[str, str]
    rai: Mapping[str, str | Sequence[str]]
    annotations: DescribedTable | None = None
    url: str | None = None
    keywords: Sequence[str] = field(default=("emotion", "video", "affective computing"))


def croissant(facts: CroissantFacts) -> dict[str, Any]:
    """The document. Raises ValueError where `rai` holds what the vocabulary does not know (nothing else says so)."""
    return {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": facts.name,
        "description": facts.description,
        "version": facts.version,
        "datePublished": facts.published,
        "license": list(facts.licences),
        "citeAs": facts.cite_as,
        "creator": [{"@type": "sc:Organization", "name": name} for name in facts.creators],
        "keywords": list(facts.keywords),
        "inLanguage": ["en"],
        # Until somebody pushes it the release has a name, but no place.
        "url": facts.url or f"urn:sha256:{facts.digest}",
        "isLiveDataset": False,
        **checked(facts.rai),
        "distribution": _distribution(facts),
        "recordSet": _record_sets(facts),
    }


def as_json(document: Mapping[str, Any]) -> bytes:
    """The same document gives the same bytes. Raises ValueError for a number that JSON does not have."""
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _distribution(facts: CroissantFacts) -> list[dict[str, Any]]:
    rows = {
        "@type": "cr:FileSet",
        "@id": "clip-rows",
        "name": "clip-rows",
        "description": "A row a clip, a file a split.",
        "encodingFormat": _MEDIA_TYPES[".parquet"],
        "includes": [f"{split.name}/{layout.METADATA}" for split in facts.splits if split.clip_count],
    }
    files = [_file(path, sha256) for path, sha256 in sorted(facts.files.items())]
    return [rows, *_media_sets(facts), *files]


def _media_sets(facts: CroissantFacts) -> list[dict[str, Any]]:
    suffixes = _suffixes(facts)
    if not suffixes:
        return []
    folder = {
        "@type": "cr:FileObject",
        "@id": "release",
        "name": "release",
        "description": "The folder of the release. As folders have no checksum, this is the digest of the release.",
        "contentUrl": ".",
        "encodingFormat": "inode/directory",
        "sha256": facts.digest,
    }
    videos = {
        "@type": "cr:FileSet",
        "@id": "clip-videos",
        "name": "clip-videos",
        "description": "A file a clip, where the release may hold it: clips/file_name below the folder of clips/split.",
        "containedIn": {"@id": "release"},
        "encodingFormat": [_MEDIA_TYPES[suffix] for suffix in suffixes],
        "includes": [f"{split.name}/*/*{suffix}" for split in facts.splits for suffix in split.files],
    }
    return [folder, videos]


def _suffixes(facts: CroissantFacts) -> list[str]:
    return sorted({suffix for split in facts.splits for suffix in split.files})


def _file(path: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": _MEDIA_TYPES.get(path[path.rfind(".") :], "application/octet-stream"),
        "sha256": sha256,
    }


def _record_sets(facts: CroissantFacts) -> list[dict[str, Any]]:
    references = {"split": _to_field("splits/name"), "emotion": _to_field("emotions/name")}
    sets = [
        {
            "@type": "cr:RecordSet",
            "@id": "clips",
            "name": "clips",
            "description": facts.clips.meaning,
            "key": {"@id": "clips/clip_id"},
            "field": [
                _field("clips", column, {"fileSet": {"@id": "clip-rows"}}, references.get(column.name))
                for column in facts.clips.columns
            ],
        },
        _splits(facts.splits),
        _emotions(),
    ]
    path = f"{layout.TABLES}/human_annotations.parquet"
    if facts.annotations is not None and path in facts.files:
        references = {"clip_id": {"fileSet": {"@id": "clip-rows"}, "extract": {"column": "clip_id"}}}
        fields = [
            _field("human_annotations", column, {"fileObject": {"@id": path}}, references.get(column.name))
            for column in facts.annotations.columns
        ]
        sets.append(
            {
                "@type": "cr:RecordSet",
                "@id": "human_annotations",
                "name": "human_annotations",
                "description": "The answers of people, one by one. People go by pseudonyms.",
                "key": [{"@id": f"human_annotations/{name}"} for name in facts.annotations.key],
                "field": fields,
            }
        )
    if _suffixes(facts):
        sets.append(_videos())
    return sets


def _field(record_set: str, column: DescribedColumn, source: Mapping[str, Any], reference: Any) -> dict[str, Any]:
    described = meaning_with_unit(column)
    if column.vocabulary:
        described += f"; one of: {', '.join(column.vocabulary)}"
    given: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "description": described,
        "dataType": _TYPES[column.type],
        "source": {**source, "extract": {"column": column.name}},
    }
    if pa.types.is_list(column.type):
        given["repeated"] = True
    if reference:
        given["references"] = reference
    return given


def _to_field(name: str) -> dict[str, Any]:
    return {"field": {"@id": name}}


def _splits(splits: Iterable[Split]) -> dict[str, Any]:
    filled = [split for split in splits if split.clip_count]
    rows = [
        {"name": split.name, "url": _STANDARD_SPLITS.get(split.name, ""), "clip_count": split.clip_count}
        for split in filled
    ]
    meanings = "; ".join(f"{split.name}: {SPLIT_MEANINGS.get(split.name, 'a split')}" for split in filled)
    fields = {
        "name": ("sc:Text", "name of the split"),
        "url": ("sc:Text", "the split of Croissant's vocabulary that it is like; empty where none is"),
        "clip_count": ("sc:Integer", "clips in it"),
    }
    return _inline("splits", f"The splits. {meanings}.", "cr:Split", fields, rows)


def _emotions() -> dict[str, Any]:
    fields = {
        "name": ("sc:Text", "the label"),
        "polarity": ("sc:Text", "positive or negative"),
        "valence": ("sc:Float", "mean that Warriner et al. (2013) give for the word, from 1 to 9"),
        "arousal": ("sc:Float", "mean that Warriner et al. (2013) give for the word, from 1 to 9"),
        "definition": ("sc:Text", "what people are told that it means"),
    }
    rows = [{name: getattr(emotion, name) for name in fields} for emotion in EMOTIONS]
    described = "Mikels' eight emotions in the order of their class index."
    return _inline("emotions", described, "sc:Enumeration", fields, rows)


def _inline(
    name: str, description: str, kind: str, fields: Mapping[str, tuple[str, str]], rows: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "dataType": kind,
        "key": {"@id": f"{name}/name"},
        "field": [
            {"@type": "cr:Field", "@id": f"{name}/{column}", "name": column, "description": meaning, "dataType": data}
            for column, (data, meaning) in fields.items()
        ],
        "data": [{f"{name}/{column}": value for column, value in row.items()} for row in rows],
    }


def _videos() -> dict[str, Any]:
    def of_file(name: str, data: str, described: str, file_property: str) -> dict[str, Any]:
        return {
            "@type": "cr:Field",
            "@id": f"videos/{name}",
            "name": name,
            "description": described,
            "dataType": data,
            "source": {"fileSet": {"@id": "clip-videos"}, "extract": {"fileProperty": file_property}},
        }

    return {
        "@type": "cr:RecordSet",
        "@id": "videos",
        "name": "videos",
        "description": "The files of the clips that the release may hold, with sound where the clip has any.",
        "field": [
            of_file("path", "sc:Text", "path below the release: split, domain, clip_id and suffix", "fullpath"),
            of_file("content", "sc:VideoObject", "the file", "content"),
        ],
    }
