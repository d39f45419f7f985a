"""Generated videos: what each generator is worth here, what may be concluded, and some of the videos."""

from collections.abc import Sequence
from itertools import groupby

from emovid_assets.core.domains import TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.charts.heat import heat_map
from emovid_assets.drawing.charts.intervals import Estimate, intervals
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import NARROW, count, counted, interval, number, p_value, words
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import FIGURE, TABLE, Column, Exhibit, Section, missing, side_by_side, table
from emovid_assets.report.generator_sentences import LEVEL, METRIC_NAMES, TRIAL_MARK, digits_of, finding, trial_told
from emovid_assets.report.thumbnails import Thumbnails

VIDEOS = "SELECT count(*) AS video_count FROM generated_videos"
LEADERS = """\
SELECT *, (generator, lower(task)) IN (
    SELECT (generator, task) FROM generated_videos WHERE character IS NOT NULL
) AS is_of_characters
FROM generation_leaderboard WHERE is_computed
ORDER BY task DESC, is_of_characters, ea_8 DESC NULLS LAST, generator"""
TESTS = f"""\
SELECT * FROM generation_tests WHERE scope = '{TOTAL}' AND asked_emotion = 'all'
ORDER BY task DESC, list_position([{", ".join(f"'{name}'" for name in METRIC_NAMES)}], metric), p_adjusted, generator_a,
         generator_b"""
BEFORE_AFTER = f"""\
SELECT * FROM generation_before_after WHERE scope = '{TOTAL}' AND asked_emotion = 'all'
ORDER BY task DESC, before, after, list_position([{", ".join(f"'{name}'" for name in METRIC_NAMES)}], metric)"""
COSTS = ("frechet_distance", "kernel_distance", "flicker_common", "first_frame_consistency", "caption_cosine")
"""What an adapter may have cost, in this order."""
MATRIX = f"SELECT * FROM generation_matrix WHERE domain = '{TOTAL}'"
STRIPS = """\
SELECT * FROM generation_filmstrips
ORDER BY list_position(['movie', 'animation', 'sticker'], domain), task DESC, position, generator"""
MOST_MATRICES, MOST_STRIPS = 12, 48
STRIP_PX, STRIP_BYTES = (600, 128), 14_000
NOT_BUILT = "It needs scores: emovid build."
TASKS = {"t2v": "text to video", "i2v": "image to video", "T2V": "text to video", "I2V": "image to video"}


def generation(answers: Answers, thumbnails: Thumbnails) -> tuple[Section, ...]:
    """The section; none where there are no generated videos."""
    if not answers.ask(VIDEOS).first.get("video_count"):
        return ()
    exhibits = (
        _leaders(answers),
        _findings(answers),
        *_before_after(answers),
        _matrices(answers),
        _strips(answers, thumbnails),
    )
    return (Section("generation", "Generated videos", exhibits),)


def _leaders(answers: Answers) -> Exhibit:
    title, paper = "Generators, measured on this dataset", "Table 3"
    answer = answers.ask(LEADERS)
    if not answer.rows:
        return missing(TABLE, title, answer, NOT_BUILT, paper)
    reading = " ".join(_best(list(rows)) for _, rows in groupby(answer.rows, key=lambda row: str(row["task"])))
    if any(row["is_trial"] for row in answer.rows):
        reading += f" What is marked “{TRIAL_MARK}” comes from random weights and says nothing of any model."
    columns = (
        Column("generator", _generator, is_number=False),
        Column("videos", lambda row: count(row["video_count"])),
        Column(f"EA-8{NARROW}↑", lambda row: _share(row, "ea_8")),
        Column(f"EA-2{NARROW}↑", lambda row: _share(row, "ea_2")),
        Column(f"caption{NARROW}↑", lambda row: _with_interval(row, "clip_score", 3)),
        Column(f"first frame{NARROW}↑", lambda row: _with_interval(row, "first_frame_consistency", 3)),
        Column(f"flicker{NARROW}↓", lambda row: _marked(row, number(row["flicker_common"], 4))),
        Column(f"distance{NARROW}↓", _distance),
        Column(f"kernel{NARROW}↓", lambda row: _marked(row, number(row["kernel_distance"], 3))),
    )
    scorers = sorted({row["distance_scorer"] for row in answer.rows if row["distance_scorer"]})
    notes = (
        "In brackets: 95 % intervals, of shares Wilson’s, of means over prompts. Caption: mean cosine of frames and "
        "caption. Flicker: at a common rate, length and size. Distance: Fréchet distance to the real clips, with what "
        "half of the videos and half of the clips give, and the floor that two halves of the real clips have: only "
        "these two may be held against each other. Neither a rank nor an overlap of intervals says whether two "
        "generators differ; the sentences below do."
        + (f" Features: {words(scorers)}." if scorers else "")
        + (" Stickers of characters have other prompts than the benchmark." if _has_characters(answer.rows) else "")
        + _without(answer.rows, "distance", "distance_note")
        + _without(answer.rows, "flicker at a common rate", "flicker_note")
    )
    figure = side_by_side(*accuracy_figures(answer))
    return Exhibit(TABLE, title, reading, join(table(title, answer.rows, columns), figure), (answer,), paper, notes)


def _has_characters(rows: Sequence[Row]) -> bool:
    return any(row["is_of_characters"] for row in rows)


def _without(rows: Sequence[Row], what: str, note: str) -> str:
    """Of which generators something is not known, and why."""
    reasons = [f"{row['generator']}, {row['task']}: {row[note]}" for row in rows if row[note]]
    return f" No {what} of {words(reasons)}." if reasons else ""


def _best(rows: list[Row]) -> str:
    """Of the generators of a task who shows most often what was asked for; those of characters, which have prompts of
    their own, only where there are no others."""
    known = [row for row in rows if row["ea_8"] is not None]
    task = f"{TASKS[rows[0]['task']].capitalize()}:"
    if not known:
        return f"{task} no emotion was recognised, as there is no labeller that is better than chance."
    known = [row for row in known if row["is_of_characters"] == known[0]["is_of_characters"]]
    best = known[0]
    names = [row["generator"] for row in known if row["ea_8"] == best["ea_8"]]
    mark = f" ({TRIAL_MARK})" if any(row["is_trial"] for row in known) else ""
    share = f"{number(best['ea_8'], 1)}{NARROW}%"
    if len(names) > 1:
        return f"{task} {words(names)} show the emotion asked for in equally many of their videos, {share}{mark}."
    most = "the largest share" if len(known) > 1 else "a share"
    counted_share = f"{count(best['ea_8_hit_count'])} of {count(best['video_count'])} ({share})"
    return f"{task} {best['generator']} shows the emotion asked for in {most} of its videos, {counted_share}{mark}."


def _generator(row: Row) -> Markup:
    marks = [*(["characters"] if row["is_of_characters"] else []), *([TRIAL_MARK] if row["is_trial"] else [])]
    # A line each: side by side they would push the last columns out of the page.
    below = [TASKS[row["task"]], *([", ".join(marks)] if marks else [])]
    return join(row["generator"], *(element("span", one, class_="interval") for one in below))


def _marked(row: Row, shown: str) -> Markup | str:
    if not row["is_trial"] or not any(letter.isdigit() for letter in shown):
        return shown
    return join(shown, element("span", TRIAL_MARK, class_="interval"))


def _share(row: Row, name: str) -> Markup | str | None:
    if row[name] is None:
        return None
    shown = f"{number(row[name], 1)}{NARROW}%"
    return join(
        _marked(row, shown), element("span", interval(row[f"{name}_low"], row[f"{name}_high"], 1), class_="interval")
    )


def _with_interval(row: Row, name: str, digits: int) -> Markup | str | None:
    if row[name] is None:
        return None
    ends = interval(row[f"{name}_low"], row[f"{name}_high"], digits)
    return join(_marked(row, number(row[name], digits)), element("span", ends, class_="interval"))


def _distance(row: Row) -> Markup | str | None:
    value = row["measured_distance"] if row["fvd"] is None else row["fvd"]
    if value is None:
        return None
    beside = [f"half {number(row['distance_of_halves'], 1)}", f"floor {number(row['distance_floor'], 1)}"]
    return join(_marked(row, number(value, 1)), *(element("span", one, class_="interval") for one in beside))


def accuracy_figures(answer: Answer) -> list[Markup]:
    """A chart of intervals a metric; none where nothing was recognised."""
    figures = []
    for name, title in (("ea_8", "EA-8: the emotion asked for"), ("ea_2", "EA-2: its polarity")):
        estimates = [
            Estimate(
                f"{_short(row['generator'])}, {row['task']}{f', {TRIAL_MARK}' if row['is_trial'] else ''}",
                row[name] / 100,
                row[f"{name}_low"] / 100,
                row[f"{name}_high"] / 100,
                "var(--p-positive)",
            )
            for row in answer.rows
            if row[name] is not None
        ]
        if estimates:
            said = "; ".join(f"{one.name} {number(one.value)} {interval(one.low, one.high)}" for one in estimates)
            axis = "share of videos, 95 % interval"
            figures.append(intervals(f"generators-{name}", title, said, estimates, axis=axis))
    return figures


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"


def _findings(answers: Answers) -> Exhibit:
    title = "What may be concluded"
    answer = answers.ask(TESTS)
    if not answer.rows:
        advice = "It needs two generators of a task with videos of the same prompts and seeds."
        return missing(TABLE, title, answer, advice)
    told = [row for row in answer.rows if row["p_adjusted"] < 0.05]
    pairs = len({(row["task"], row["generator_a"], row["generator_b"]) for row in answer.rows})
    reading = (
        f"Of {counted(len(answer.rows), 'comparison')} of {counted(pairs, 'pair')} of generators {count(len(told))} "
        f"{'is' if len(told) == 1 else 'are'} distinguishable from chance at 5{NARROW}%, after correction"
        f"{trial_told(answer.rows)}."
    )
    parts = []
    for (task, metric), grouped in groupby(answer.rows, key=lambda row: (row["task"], row["metric"])):
        rows = list(grouped)
        sentences = [element("li", finding(row)) for row in rows]
        count_told = sum(row["p_adjusted"] < 0.05 for row in rows)
        marks = {row["is_trial"] for row in rows}
        mark = f", {TRIAL_MARK}" if marks == {True} else f", in part {TRIAL_MARK}" if True in marks else ""
        summary = (
            f"{METRIC_NAMES[metric]}, {TASKS[task]}: {count(count_told)} of {count(len(rows))} distinguishable{mark}"
        )
        parts.append(
            element(
                "details", element("summary", summary), element("ul", *sentences), class_="part", open=metric == "ea8"
            )
        )
    notes = (
        "Compared on the videos that both have, by prompt and seed: shares by the exact test of McNemar, all else by "
        "swapping the two videos of a prompt. Corrected by Holm for the pairs of a task and metric. “Not "
        "distinguishable” is no proof of equality: the interval says how large a difference could be. A labeller that "
        "errs makes all generators more alike than they are."
    )
    fewest = min(row["pair_count"] for row in answer.rows)
    return Exhibit(TABLE, title, reading, join(*parts), (answer,), None, notes, rests_on=fewest)


def _before_after(answers: Answers) -> tuple[Exhibit, ...]:
    """What adapters have gained and what that has cost; none where no generator runs without adapters and with some."""
    answer = answers.ask(BEFORE_AFTER)
    if not answer.rows:
        return ()
    title = "Before and after training"
    pairs = [(names, list(rows)) for names, rows in groupby(answer.rows, key=lambda row: (row["before"], row["after"]))]
    columns = (
        Column("measure", lambda row: METRIC_NAMES[row["metric"]], is_number=False),
        Column("change", _change),
        Column("gained", lambda row: None if row["gained_count"] is None else count(row["gained_count"])),
        Column("lost", lambda row: None if row["lost_count"] is None else count(row["lost_count"])),
        Column("videos", lambda row: count(row["pair_count"])),
        Column("p", lambda row: p_value(row["p"])),
        Column("corrected", lambda row: p_value(row["p_adjusted"])),
        Column("verdict", _verdict, is_number=False),
    )
    parts = [
        element("div", element("p", element("strong", f"{before} → {after}")), table(title, rows, columns))
        for (before, after), rows in pairs
    ]
    notes = (
        "Gained: right after and not before; lost: right before and not after; p of shares by McNemar’s exact test on "
        "these. Distances and flicker are better where they are lower, and a low flicker is good only beside the other "
        "measures: a still video has none. Corrected by Holm over all pairs of generators of the task."
    )
    reading = " ".join(_gain_told(before, after, rows) for (before, after), rows in pairs)
    fewest = min(row["pair_count"] for row in answer.rows)
    return (Exhibit(TABLE, title, reading, join(*parts), (answer,), "Table 3", notes, rests_on=fewest),)


def _gain_told(before: str, after: str, rows: Sequence[Row]) -> str:
    """What was gained in emotion accuracy, and what that has cost for certain."""
    by_metric = {row["metric"]: row for row in rows}
    if (row := by_metric.get("ea8")) is None:
        gained = f"Of {after} against {before} no emotion was recognised"
    else:
        shown, net = p_value(row["p"]), row["gained_count"] - row["lost_count"]
        counts = f"{count(row['gained_count'])} gained, {count(row['lost_count'])} lost"
        gained = (
            f"{after} is right in {count(abs(net))} {'more' if net >= 0 else 'fewer'} of "
            f"{counted(row['pair_count'], 'video')} than {before} "
            f"({counts}; p {shown if shown.startswith('<') else f'= {shown}'})"
        )
    costs = [
        METRIC_NAMES[name]
        for name in COSTS
        if name in by_metric and by_metric[name]["is_better"] is False and by_metric[name]["p_adjusted"] < LEVEL
    ]
    return f"{gained}; it cost {words(costs) if costs else 'nothing that is distinguishable'}{trial_told(rows)}."


def _change(row: Row) -> Markup:
    digits = digits_of(row["metric"])
    ends = "" if row["change_low"] is None else interval(row["change_low"], row["change_high"], digits)
    shown = f"{'+' if row['change'] > 0 else ''}{number(row['change'], digits)}"
    return join(_marked(row, shown), element("span", ends, class_="interval"))


def _verdict(row: Row) -> str:
    if row["verdict"] != "distinguishable":
        return str(row["verdict"])
    return "better" if row["is_better"] else "worse"


def _matrices(answers: Answers) -> Exhibit:
    title = "Emotions asked for, and recognised"
    answer = answers.ask(MATRIX)
    if not answer.rows:
        advice = "It needs a labeller that is better than chance (labeller_comparison), then emovid build."
        return missing(FIGURE, title, answer, advice)
    total = sum(row["video_count"] for row in answer.rows)
    right = sum(row["video_count"] for row in answer.rows if row["is_right"])
    trials = sum(row["video_count"] for row in answer.rows if row["is_trial"])
    mark = "" if not trials else f" ({TRIAL_MARK})" if trials == total else f" ({count(trials)} of them {TRIAL_MARK})"
    reading = f"Of {counted(total, 'video')}{mark} {count(right)} are recognised as what was asked for."
    figures = matrix_figures(answer)
    left_out = len({(row["generator"], row["task"]) for row in answer.rows}) - len(figures)
    notes = "Rows: asked for; columns: recognised by the dataset’s labeller, which errs too."
    if left_out:
        notes += f" {counted(left_out, 'generator')} more in the view generation_matrix."
    return Exhibit(FIGURE, title, reading, side_by_side(*figures), (answer,), None, notes, rests_on=total)


def matrix_figures(answer: Answer) -> list[Markup]:
    """A matrix a generator and task, the first ones of many."""
    panels: list[Markup] = []
    found = groupby(answer.rows, key=lambda row: (row["generator"], row["task"]))
    for (generator, task), rows in [(key, list(rows)) for key, rows in found][:MOST_MATRICES]:
        at = {(row["asked_emotion"], row["recognised_emotion"]): row for row in rows}
        mark = f", {TRIAL_MARK}" if rows[0]["is_trial"] else ""
        panels.append(
            heat_map(
                f"asked-{len(panels)}",
                f"{_short(generator)}, {TASKS[task]}{mark}",
                "; ".join(
                    f"{row['asked_emotion']} as {row['recognised_emotion']} {row['video_count']}"
                    for row in rows
                    if row["video_count"]
                ),
                EMOTION_NAMES,
                EMOTION_NAMES,
                [[at[one, other]["share"] for other in EMOTION_NAMES] for one in EMOTION_NAMES],
                [[str(at[one, other]["video_count"] or "") for other in EMOTION_NAMES] for one in EMOTION_NAMES],
                row_title="asked for",
                column_title="recognised",
                row_notes=[f"n={at[one, one]['asked_count']:,}" for one in EMOTION_NAMES],
            )
        )
    return panels


def _strips(answers: Answers, thumbnails: Thumbnails) -> Exhibit:
    title = "Videos of the same prompts"
    answer = answers.ask(STRIPS)
    if not answer.rows:
        return missing(FIGURE, title, answer, "It needs the videos: emovid build.")
    shown = answer.rows[:MOST_STRIPS]
    groups = [
        _prompt(list(rows), thumbnails)
        for _, rows in groupby(shown, key=lambda row: (row["domain"], row["task"], row["position"]))
    ]
    reading = (
        f"{counted(len(shown), 'video')} of {counted(len(groups), 'prompt')} that were drawn by hash, not by looks; "
        "six frames each, from the first one on the left to the end."
    )
    return Exhibit(FIGURE, title, reading, element("div", *groups, class_="strips"), (answer,))


def _prompt(rows: list[Row], thumbnails: Thumbnails) -> Markup:
    first = rows[0]
    strips = []
    for row in rows:
        name = f"{row['generator']}, {TRIAL_MARK}" if row["is_trial"] else row["generator"]
        address = thumbnails.address(row["filmstrip_path"], STRIP_PX, STRIP_BYTES)
        picture = element("img", src=address, alt=f"Six frames: {name}") if address else "no picture"
        strips.append(element("div", element("div", name, class_="strip-name"), picture, class_="strip"))
    asked = f"{first['domain']}, {TASKS[first['task']]}, {first['asked_emotion']}: "
    return element("div", element("p", element("strong", asked), first["prompt"], class_="prompt"), *strips)
