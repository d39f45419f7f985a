"""What cannot be processed, and where everything comes from: recounted from tables, files, settings and packages.

Belongs here: the sections on quarantine and provenance. Sizes are those of the files; versions are those installed.
"""

import platform
import tomllib
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.home.settings_groups import digest, digests
from emovid_assets_tests.recount.home import Library, Row, length, media_of, size
from emovid_assets_tests.recount.page import Exhibit

PROGRAMS = (
    *("emovid-assets", "duckdb", "pyarrow", "av", "scenedetect-headless", "opencv-python-headless", "numpy"),
    *("scikit-learn", "scipy", "torch", "transformers", "dagster"),
)
ERRORS_HEAD = ("reason", "domain", "asset", "items", "for example", "what to do")
SOURCES_HEAD = ("domain", "origin", "licence", "terms", "region", "sources", "films", "length", "size")
BY_HAND, UNKNOWN = "put there by hand", "not stated"


def settings_of(library: Library) -> dict[str, Any]:
    """What the settings file says, by key."""
    found = tomllib.loads((library.root / "emovid.toml").read_text(encoding="utf-8"))
    return {f"{section}.{key}": value for section, keys in found.items() for key, value in keys.items()}


def plain(name: str) -> str:
    return name.replace("_", " ")


def quarantine(library: Library) -> dict[str, Exhibit]:
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in library.table("processing_errors"):
        groups[row["domain"], row["asset"], row["code"]].append(row)
    rows: list[list[Any]] = []
    for (domain, asset, code), items in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        first = min(items, key=lambda row: row["item_id"])
        rows.append([plain(code), domain, asset, len(items), first["path"], first["message"]])
    counts = [row[3] for row in rows]
    codes = {code for *_, code in groups}
    reading = [sum(counts), len(codes) if len(set(counts)) == 1 else counts[0]]
    messages: dict[str, list[str]] = defaultdict(list)
    for row in library.table("rejected_annotations"):
        messages[row["reason"]].append(row["message"])
    refused = sorted(messages.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    refusals = [[plain(reason), len(told), min(told)] for reason, told in refused]
    return {
        "Files and clips that could not be processed": Exhibit(
            "rows one by one", reading, tables=[[ERRORS_HEAD, *rows]]
        ),
        "Human answers that do not count, or not yet": Exhibit(
            "rows one by one",
            [sum(map(len, messages.values()))],
            tables=[[("reason", "answers", "for example"), *refusals]],
        ),
    }


def provenance(library: Library) -> dict[str, Exhibit]:
    return {
        "Sources and their licences": _sources(library),
        "Models and their revisions": _models(library),
        "How the clip files were made": _files(library),
        "Settings": _settings(library),
        "Versions": _versions(library),
    }


def _bytes(library: Library, paths: list[str]) -> list[Any]:
    return size(sum((library.root / path).stat().st_size for path in paths))


def _seconds(library: Library, rows: list[Row]) -> float:
    return sum(media_of(library.root / row["path"]).seconds for row in rows)


def _sources(library: Library) -> Exhibit:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in library.sources:
        origin, licence, region = row["origin"] or BY_HAND, row["license"] or UNKNOWN, row["region"] or UNKNOWN
        groups[row["domain"], origin, licence, row["terms_url"] or "–", region].append(row)
    rows: list[list[Any]] = [list(SOURCES_HEAD)]
    for key, there in sorted(groups.items(), key=lambda group: (group[0][0], -len(group[1]), group[0])):
        films = {row["film_id"] for row in there} - {None}
        seconds = _seconds(library, there)
        rows.append([*key, len(there), len(films), length(seconds), _bytes(library, [row["path"] for row in there])])
    unknown = sum(not row["license"] for row in library.sources)
    reading = [len(library.sources), *length(_seconds(library, library.sources)), *([unknown] if unknown else [])]
    return Exhibit("the files themselves", reading, tables=[rows])


def _models(library: Library) -> Exhibit:
    rows: list[list[Any]] = [["for", "model", "revision", "clips"]]
    for purpose, table in (("captions", "captions"), ("labels", "vlm_labels")):
        counts = Counter((row["model_id"], row["model_revision"]) for row in library.table(table))
        rows += [[purpose, model, revision, count] for (model, revision), count in sorted(counts.items())]
    sources = [source for _, source in library.labels.values()]
    shares = [100 * sources.count(name) / len(sources) for name in ("human", "vlm")]
    return Exhibit("votes counted again", [len(sources), *shares], tables=[rows])


def _files(library: Library) -> Exhibit:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in library.table("clip_media"):
        groups[row["how"], row["encoding_reason"] or ""].append(row["media_path"])
    names = {"encoded": "encoded to H.264", "joined": "copied, with ends encoded"}
    rows: list[list[Any]] = [["pictures", "clips", "size"]]
    for (how, reason), paths in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        name = "copied without loss" if how == "copied" else f"{names[how]} ({plain(reason)})"
        rows.append([name, len(paths), _bytes(library, paths)])
    copied, joined = (
        sum(len(paths) for (how, _), paths in groups.items() if how == name) for name in ("copied", "joined")
    )
    total = sum(map(len, groups.values()))
    return Exhibit("the files themselves", [copied, total, 100 * copied / total, joined], tables=[rows])


def _settings(library: Library) -> Exhibit:
    defaults = Settings().model_dump()
    rows: list[list[Any]] = [["setting", "here", "default"]]
    for key, value in sorted(settings_of(library).items(), key=lambda entry: _place(entry[0], defaults)):
        section, name = key.split(".")
        if value != defaults[section][name]:
            rows.append([key, str(value), str(defaults[section][name])])
    return Exhibit("settings", [digest(digests(Home(library.root))), len(rows) - 1], tables=[rows])


def _place(key: str, defaults: dict[str, Any]) -> tuple[int, int]:
    section, name = key.split(".")
    return list(defaults).index(section), list(defaults[section]).index(name)


def _versions(library: Library) -> Exhibit:
    rows = [["program", "version"], ["Python", platform.python_version()]]
    rows.append(["system", f"{platform.system()} {platform.machine()}"])
    rows += [[name, version(name)] for name in PROGRAMS]
    return Exhibit("packages and files", [version("emovid-assets"), *written_at(library)], tables=[rows])


def written_at(library: Library) -> list[str]:
    """Date and time of the report: those that it shows where its file was written in that minute or the next."""
    path = library.root / "reports" / "report.html"
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    shown = path.read_text(encoding="utf-8").rpartition("built ")[2][:16]
    for candidate in (written, written - timedelta(minutes=1)):
        if f"{candidate:%Y-%m-%d %H:%M}" == shown:
            return shown.split()
    return [f"{written:%Y-%m-%d}", f"{written:%H:%M}"]
