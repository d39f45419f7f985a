"""Where everything comes from: sources and licences, models, clip files, settings and versions."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import clips, count, hours, percent, plain, size
from emovid_assets.report.answers import Answers
from emovid_assets.report.exhibits import TABLE, Column, Exhibit, Section, missing, name_column, table
from emovid_assets.report.facts import Facts

SOURCES = """\
SELECT domain, coalesce(origin, 'put there by hand') AS origin, coalesce(license, 'not stated') AS licence,
       coalesce(region, 'not stated') AS region, coalesce(terms_url, '') AS terms_url,
       count(*) AS source_count, sum(duration_s) / 3600 AS duration_h, sum(size_bytes) AS size_bytes,
       count(DISTINCT film_id) AS film_count
FROM source_videos GROUP BY ALL ORDER BY domain, source_count DESC, origin, licence, region, terms_url LIMIT 60"""
MODELS = """\
SELECT 'labels' AS purpose, model_id, model_revision, count(*) AS clip_count FROM vlm_labels GROUP BY ALL
UNION ALL
SELECT 'captions', model_id, model_revision, count(*) FROM captions GROUP BY ALL
ORDER BY purpose, model_id, model_revision"""
LABELS = "SELECT label_source, count(*) AS clip_count FROM emotion_labels GROUP BY label_source"
FILES = """\
SELECT how, coalesce(encoding_reason, '') AS reason, count(*) AS clip_count, sum(size_bytes) AS size_bytes
FROM clip_media GROUP BY ALL ORDER BY clip_count DESC, how, reason"""
NOTHING = "Put videos into the library and run emovid build."


def provenance(answers: Answers, facts: Facts) -> Section:
    exhibits = (_sources(answers), _models(answers), _files(answers), _settings(facts), _versions(facts))
    return Section("provenance", "Provenance", exhibits)


def _sources(answers: Answers) -> Exhibit:
    title = "Sources and their licences"
    answer = answers.ask(SOURCES)
    if not answer.rows:
        return missing(TABLE, title, answer, NOTHING)
    total = sum(row["source_count"] for row in answer.rows)
    unknown = sum(row["source_count"] for row in answer.rows if row["licence"] == "not stated")
    length = hours(sum(row["duration_h"] for row in answer.rows))
    said = "every one of them has a licence" if not unknown else f"{count(unknown)} of them have no stated licence"
    reading = f"{count(total)} source videos of {length} in all; {said}."
    columns = (
        name_column("domain", "domain"),
        name_column("origin", "origin"),
        name_column("licence", "licence"),
        name_column("terms", "terms_url"),
        name_column("region", "region"),
        Column("sources", lambda row: count(row["source_count"])),
        Column("films", lambda row: count(row["film_count"])),
        Column("length", lambda row: hours(row["duration_h"])),
        Column("size", lambda row: size(row["size_bytes"])),
    )
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns), (answer,))


def _models(answers: Answers) -> Exhibit:
    title = "Models and their revisions"
    answer, labels = answers.ask(MODELS), answers.ask(LABELS)
    if not answer.rows:
        return missing(TABLE, title, answer, NOTHING)
    by_source = {row["label_source"]: row["clip_count"] for row in labels.rows}
    total = sum(by_source.values())
    reading = (
        f"Of {clips(total)} with a final label, {percent(by_source.get('human', 0) / total)} have it from people and "
        f"{percent(by_source.get('vlm', 0) / total)} from a model."
        if total
        else "No clip has a final label yet."
    )
    columns = (
        name_column("for", "purpose"),
        name_column("model", "model_id"),
        name_column("revision", "model_revision"),
        Column("clips", lambda row: count(row["clip_count"])),
    )
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns), (answer, labels))


def _files(answers: Answers) -> Exhibit:
    title = "How the clip files were made"
    answer = answers.ask(FILES)
    if not answer.rows:
        return missing(TABLE, title, answer, NOTHING)
    total = sum(row["clip_count"] for row in answer.rows)
    copied = sum(row["clip_count"] for row in answer.rows if row["how"] == "copied")
    joined = sum(row["clip_count"] for row in answer.rows if row["how"] == "joined")
    reading = (
        f"{count(copied)} of {clips(total)} ({percent(copied / total, 0)}) are the source’s own packets, without loss; "
        f"{count(joined)} are but for pictures at their ends."
    )
    columns = (
        Column("pictures", lambda row: _how(row["how"], row["reason"]), is_number=False),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("size", lambda row: size(row["size_bytes"])),
    )
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns), (answer,))


def _how(how: str, reason: str) -> str:
    if how == "copied":
        return "copied without loss"
    return f"{'encoded to H.264' if how == 'encoded' else 'copied, with ends encoded'} ({plain(reason)})"


def _settings(facts: Facts) -> Exhibit:
    rows = [{"key": key, "value": value, "default": default} for key, value, default in facts.changed_settings]
    changed = (
        f"{count(len(rows))} of them {'differs' if len(rows) == 1 else 'differ'}" if rows else "none of them differs"
    )
    title = "Settings"
    reading = (
        f"The settings on which results depend have the digest {facts.settings_digest}; {changed} from the defaults."
    )
    columns = (
        name_column("setting", "key"),
        Column("here", lambda row: join(*_setting(row["value"])), is_number=False),
        Column("default", lambda row: join(*_setting(row["default"])), is_number=False),
    )
    body = table(title, rows or [{"key": "all", "value": "as default", "default": "as default"}], columns)
    return Exhibit(TABLE, title, reading, body, ())


def _setting(value: Any) -> list[Markup]:
    """A value as `emovid.toml` has it, a line each for tables; of these what differs from the default."""
    if isinstance(value, tuple) and any(isinstance(one, BaseModel) for one in value):
        return [element("div", _table_of_toml(one.model_dump(mode="json", exclude_defaults=True))) for one in value]
    return [element("div", _toml(value))]


def _table_of_toml(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_toml(one)}" for name, one in value.items())


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return f"{{{_table_of_toml(value)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # Strings and truth values are written as in JSON there.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)


def _versions(facts: Facts) -> Exhibit:
    title = "Versions"
    rows = [{"name": name, "version": version} for name, version in facts.versions]
    own = dict(facts.versions).get("emovid-assets", "unknown")
    reading = f"This report was written by EmoVid Assets {own} on {facts.built_at:%Y-%m-%d at %H:%M} UTC."
    columns = (name_column("program", "name"), name_column("version", "version"))
    return Exhibit(TABLE, title, reading, table(title, rows, columns), ())
