"""`emovid demo`: makes the library, builds, lets simulated people answer, builds on, prints the paper's tables.

Belongs here: the order of the demo and what it prints. Every number printed is queried from what was built.
"""

from rich.console import Console
from rich.markup import escape

from emovid_assets.building.terminal import Bars, progress_bars, run_build
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.placing import put_text
from emovid_assets.demo.annotators import simulate_annotators
from emovid_assets.demo.library import Size, make_library
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SETTINGS_FILE
from emovid_assets.orchestration.instance import named_folder
from emovid_assets.queries.running import aligned, answer
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

SETTINGS = """\
# Written by `emovid demo`. The library is small, so a larger share is labelled by (simulated) people than the
# paper's 20 %, fewer clips are set aside for validation in the smallest library, and the benchmark takes three
# clips per emotion instead of ten, which leaves clips to train on.
[annotation]
human_fraction = 0.75
validation_minimum = {validation_minimum}

[benchmark]
per_cell = 3
"""
VALIDATION_MINIMUM: dict[Size, int] = {"full": 20, "small": 4}
BEFORE_ANNOTATION = "+key:annotation_tasks or +key:clip_media"
TABLES = (
    (
        "Dataset statistics (the paper's Table 2)",
        "SELECT domain, clip_count, duration_mean_s, duration_sd_s, has_video, has_audio, has_caption\n"
        "FROM dataset_statistics",
    ),
    (
        "Emotion distribution (Figure 3), labelled clips",
        "PIVOT (SELECT domain, emotion, clip_count FROM emotion_distribution)\n"
        "ON domain IN ('movie', 'animation', 'sticker', 'total') USING sum(clip_count) ORDER BY total DESC",
    ),
    (
        "Colour by emotion",
        "SELECT emotion, clip_count, brightness_mean, colorfulness_mean, hue_mean_deg FROM colour_by_emotion",
    ),
    (
        "Most probable next emotion within a film",
        "SELECT from_emotion, arg_min(to_emotion, (-probability, emotion_index)) AS next_emotion,\n"
        "max(probability) AS probability FROM emotion_transitions JOIN emotion_wheel ON to_emotion = emotion\n"
        "WHERE kind = 'bridged' AND probability IS NOT NULL GROUP BY from_emotion\n"
        "ORDER BY probability DESC, min(emotion_index)",
    ),
    (
        "Agreement on the validation clips (Cohen's kappa)",
        "SELECT domain, pair_kind, avg(kappa) AS kappa, min(kappa_low) AS low, max(kappa_high) AS high,\n"
        "any_value(kappa_gap) AS gap, any_value(kappa_gap_direction) AS direction\n"
        "FROM rater_agreement GROUP BY domain, pair_kind ORDER BY domain, pair_kind",
    ),
    (
        "Labeller, cross-validated by source, beside always answering the most frequent label",
        "SELECT model_id, training_clip_count AS clips, validation_accuracy, baseline_accuracy FROM emotion_labeller",
    ),
    (
        "Benchmark cells, clips",
        "PIVOT (SELECT domain, emotion, clip_count FROM benchmark_cells) ON domain USING sum(clip_count)",
    ),
    ("Quarantine", "SELECT domain, asset, path, code FROM processing_errors"),
)


def run_demo(out: Console, home: Home, size: Size) -> bool:
    """True where everything was built.

    Raises FileExistsError where the home holds somebody's own library, ValueError where the environment names a folder
    of Dagster that is none.
    """
    # Drawing the library takes a minute.
    named_folder()
    out.print(f"[bold]1. A library of films, cartoons and stickers[/] in {home.library}")
    with progress_bars(out) as progress:
        truth = make_library(home.root, size=size, progress=Bars(progress))
    settings = home.root / SETTINGS_FILE
    if not settings.exists():
        put_text(settings, SETTINGS.format(validation_minimum=VALIDATION_MINIMUM[size]))
    out.print("\n[bold]2. Clips, measurements and annotation tasks[/]")
    if not run_build(out, home, DOMAINS, BEFORE_ANNOTATION):
        return False
    warehouse = Warehouse(home.warehouse)
    tasks, clips, sources = (rows_of(warehouse.read(name)) for name in ("annotation_tasks", "clips", "source_videos"))
    count = simulate_annotators(home.root, tasks, clips, sources, truth)
    out.print(
        f"\n[bold]3. Three simulated people[/] answer {count:,} times (simulated-1, -2, -3; about 15 % errors)",
        soft_wrap=True,
    )
    out.print("\n[bold]4. Labels, validation, benchmark, catalogue[/]")
    if not run_build(out, home, DOMAINS, f"not ({BEFORE_ANNOTATION})"):
        return False
    out.print("\n[bold]5. What was built[/] [dim](all human answers are simulated)[/]")
    for title, query in TABLES:
        out.print(f"\n[bold]{title}[/]\n[dim]{escape(query)}[/]")
        out.print(aligned(answer(home, query)), end="", markup=False)
    out.print(f"\nThe report: {home.report}", markup=False)
    out.print(
        f"\nNext: [bold]make ui[/] for the graph, [bold]emovid sql --list[/] for all views; files are in {home.root}"
    )
    return True
