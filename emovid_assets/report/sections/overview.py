"""The size of the dataset: the paper's Tables 1 and 2."""

from emovid_assets.drawing.numerals import clips, count, hours, number, percent, words
from emovid_assets.report.answers import Answers
from emovid_assets.report.exhibits import TABLE, Column, Exhibit, Section, missing, name_column, table

STATISTICS = """\
SELECT domain, clip_count, duration_mean_s, duration_sd_s, duration_total_h,
       video_share, audio_share, caption_share
FROM dataset_statistics"""
COMPARISON = """\
SELECT dataset, modalities, duration_h, clip_count, content, label_scheme, is_computed
FROM dataset_comparison ORDER BY dataset_index"""
NO_CLIPS = "Put videos into the library and run emovid build."


def overview(answers: Answers) -> Section:
    return Section("size", "Size of the dataset", (_statistics(answers), _comparison(answers)))


def _statistics(answers: Answers) -> Exhibit:
    title, paper = "Dataset statistics", "Table 2"
    answer = answers.ask(STATISTICS)
    if not answer.rows or not answer.rows[-1]["clip_count"]:
        return missing(TABLE, title, answer, NO_CLIPS, paper)
    *domains, total = answer.rows
    most = max(row["clip_count"] for row in domains)
    largest = [row["domain"] for row in domains if row["clip_count"] == most]
    which = f"{largest[0]} is the largest domain" if len(largest) == 1 else f"{words(largest)} are the largest domains"
    spread = f" (standard deviation {number(total['duration_sd_s'])} s)" if total["duration_sd_s"] is not None else ""
    reading = (
        f"The dataset has {clips(total['clip_count'])} of {number(total['duration_mean_s'])} s on average{spread}, "
        f"{hours(total['duration_total_h'])} in all; {which} with {percent(most / total['clip_count'], 0)} of the clips"
        f"{' each' if len(largest) > 1 else ''}."
    )
    columns = (
        name_column("domain", "domain"),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("mean length, s", lambda row: number(row["duration_mean_s"])),
        Column("SD, s", lambda row: number(row["duration_sd_s"])),
        Column("total", lambda row: hours(row["duration_total_h"])),
        Column("with video", lambda row: percent(row["video_share"], 0)),
        Column("with audio", lambda row: percent(row["audio_share"], 0)),
        Column("with caption", lambda row: percent(row["caption_share"], 0)),
    )
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns, last_is_total=True), (answer,), paper)


def _comparison(answers: Answers) -> Exhibit:
    title, paper = "Beside other datasets of emotional video", "Table 1"
    answer = answers.ask(COMPARISON)
    own = next((row for row in answer.rows if row["is_computed"] and row["clip_count"]), None)
    if own is None:
        return missing(TABLE, title, answer, NO_CLIPS, paper)
    rank = 1 + sum(row["clip_count"] > own["clip_count"] for row in answer.rows)
    reading = (
        f"With {clips(own['clip_count'])} and {hours(own['duration_h'])} this dataset is number {rank} of "
        f"{len(answer.rows)} by clips. Its row is computed; the others are as the paper prints them."
    )
    columns = (
        name_column("dataset", "dataset"),
        Column("modalities", lambda row: row["modalities"], is_number=False),
        Column("length", lambda row: hours(row["duration_h"])),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("content", lambda row: row["content"], is_number=False),
        Column("labels", lambda row: row["label_scheme"], is_number=False),
    )
    notes = "Modalities: v video, a audio, t text."
    return Exhibit(
        TABLE, title, reading, table(title, answer.rows, columns, last_is_total=True), (answer,), paper, notes
    )
