"""The benchmark: its cells, its clips and its separation from the training split."""

from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import clips, count, words
from emovid_assets.drawing.palette import emotion_colour
from emovid_assets.report.answers import Answers, Row
from emovid_assets.report.exhibits import FIGURE, TABLE, Column, Exhibit, Section, missing, name_column, table
from emovid_assets.report.thumbnails import Thumbnails

CELLS = "SELECT domain, emotion, clip_count, wanted_count, missing_count FROM benchmark_cells"
# One row a clip, at most ten of a cell: the paper's number.
PICTURES = """\
SELECT s.domain, s.emotion, s.clip_id, c.thumbnail_path, coalesce(v.title, v.path) AS title
FROM benchmark_split s
JOIN clips c USING (clip_id)
LEFT JOIN source_videos v ON v.source_id = c.source_id
WHERE s.split = 'benchmark'
QUALIFY row_number() OVER (PARTITION BY s.domain, s.emotion ORDER BY s.clip_id) <= 10
ORDER BY s.domain, s.emotion, s.clip_id"""
SPLITS = """\
SELECT domain, count(*) FILTER (split = 'benchmark') AS benchmark, count(*) FILTER (split = 'train') AS train,
       count(*) FILTER (split = 'unused') AS unused, count(DISTINCT group_id) AS group_count
FROM benchmark_split GROUP BY ROLLUP (domain)
ORDER BY list_position(['movie', 'animation', 'sticker'], domain) NULLS LAST"""
LEAKS = "SELECT count(*) AS leak_count FROM split_leaks"
NO_BENCHMARK = "The benchmark takes clips that people have labelled: emovid annotate import, then emovid build."


def benchmark(answers: Answers, thumbnails: Thumbnails) -> Section:
    return Section("benchmark", "Benchmark", (_grid(answers, thumbnails), _splits(answers)))


def _grid(answers: Answers, thumbnails: Thumbnails) -> Exhibit:
    title, paper = "The benchmark: domains by emotions", "Evaluation"
    cells, pictures = answers.ask(CELLS), answers.ask(PICTURES)
    total = sum(row["clip_count"] for row in cells.rows)
    if not total:
        return missing(FIGURE, title, cells, NO_BENCHMARK, paper)
    full = [row for row in cells.rows if not row["missing_count"]]
    wanted = cells.first["wanted_count"]
    reading = (
        f"The benchmark has {clips(total)} in {sum(row['clip_count'] > 0 for row in cells.rows)} of "
        f"{len(cells.rows)} cells; {len(full) or 'none'} of them "
        f"{'has' if len(full) < 2 else 'have'} the {wanted} clips that are wanted."
    )
    at = {(row["domain"], row["emotion"]): row for row in cells.rows}
    rows = []
    for emotion in EMOTION_NAMES:
        boxes = [
            _cell(
                at[domain, emotion],
                [row for row in pictures.rows if (row["domain"], row["emotion"]) == (domain, emotion)],
                thumbnails,
            )
            for domain in DOMAINS
        ]
        style = f"--mark:{emotion_colour(emotion)}"
        rows.append(element("tr", element("th", emotion, scope="row", style=style), *boxes))
    head = element("tr", element("th", "emotion", scope="col"), *(element("th", d, scope="col") for d in DOMAINS))
    grid = element("table", element("thead", head), element("tbody", *rows), class_="grid")
    notes = "Each picture is the middle sampled frame of a clip; its title is the source’s. Below: clips of the cell."
    return Exhibit(FIGURE, title, reading, grid, (cells, pictures), paper, notes)


def _cell(cell: Row, rows: list[Row], thumbnails: Thumbnails) -> Markup:
    pictures = [
        element("img", src=address, alt=f"{row['emotion']}, {row['domain']}: {row['title']}", title=row["title"])
        for row in rows
        if (address := thumbnails.address(row["thumbnail_path"])) is not None
    ]
    missing_count = cell["missing_count"]
    said = count(cell["clip_count"])
    if missing_count:
        said += f" of {count(cell['wanted_count'])}"
    return element(
        "td",
        element("div", *pictures, class_="thumbs"),
        element("div", said, class_="cell-count"),
        data_label=cell["domain"],
    )


def _splits(answers: Answers) -> Exhibit:
    title, paper = "Splits", "Evaluation"
    answer, leaks = answers.ask(SPLITS), answers.ask(LEAKS)
    rows = [{**row, "domain": row["domain"] or TOTAL} for row in answer.rows]
    if not rows or not (rows[-1]["benchmark"] + rows[-1]["train"] + rows[-1]["unused"]):
        return missing(TABLE, title, answer, NO_BENCHMARK, paper)
    leak_count = leaks.first.get("leak_count")
    total = rows[-1]
    if leak_count is None:
        leaking = "whether anything leaks between them is not known"
    elif leak_count:
        leaking = f"groups, films, files or near-duplicates on both sides: {count(leak_count)} (view split_leaks)"
    else:
        leaking = "no group, film, file or near-duplicate is in both"
    verb = "is" if total["benchmark"] == 1 else "are"
    reading = f"{clips(total['benchmark'])} {verb} for evaluation and {clips(total['train'])} for training; {leaking}."
    columns = (
        name_column("domain", "domain"),
        Column("benchmark", lambda row: count(row["benchmark"])),
        Column("train", lambda row: count(row["train"])),
        Column("unused", lambda row: count(row["unused"])),
        Column("groups", lambda row: count(row["group_count"])),
    )
    empty = [row["domain"] for row in rows if not row["benchmark"]]
    notes = (
        "A group holds the clips of one source, film or file, or near-duplicates, of all domains; it is never divided, "
        "and used in one domain. To leave clips to train on, the benchmark takes at most a third of the groups of a "
        "domain, and of those in which people have labelled clips of an emotion."
    )
    if empty:
        notes += f" Without a benchmark: {words(empty)}."
    return Exhibit(
        TABLE, title, reading, table(title, rows, columns, last_is_total=True), (answer, leaks), paper, notes
    )
