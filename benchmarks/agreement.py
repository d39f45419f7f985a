"""Whether the statistics of agreement say what is true, on simulated answers whose truth is known.

Run `python -m benchmarks.agreement [--libraries 1000] [--markdown docs/agreement.md]` from the repository; it takes one
core for some two minutes and needs no data. Three questions:

- Do 95 % intervals hold the truth 95 times out of 100, however many clips a source video has?
- Is the gap 0 where a labeller is as good as people, however few clips two people share?
- Is anybody of a team of equally good people called odd?

Films differ in difficulty: how often a person errs on a clip depends on its film. Whoever errs takes any of the other
eight choices. The numbers are the package's own functions throughout.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.measuring import fill, table
from emovid_assets.core.agreement import HUMAN_HUMAN, HUMAN_VLM, kinds_of_pairs
from emovid_assets.core.annotator_quality import annotator_quality
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import MISSING, RatingMatrix
from emovid_assets.core.source_draws import MIN_SOURCES, SourceDraws
from emovid_assets.core.statistics.quotients import Values
from emovid_assets.core.statistics.rater_counts import pooled_kappa, pooled_kappa_between

CLIP_COUNT = 228
"""The paper's validation set."""
LIBRARIES = 1000
CLIPS_PER_SOURCE = (1, 2, 4, 6, 10, 15, 20)
PEOPLE_COUNTS = (3, 6, 12, 24, 48, 100)
TEAMS = ((3, 60, 1), (3, 228, 10), (5, 228, 20), (12, 228, 1), (12, 600, 20))
"""People, clips that three of them answer each, clips a film."""
UNEVEN = (40, 30, 20, 16, 12, 8, 6, 4, 3, 2, 2, 1)
"""Clips of twelve films: a few hold most."""
ODD = 0.05
CHOICE_COUNT = len(HUMAN_CHOICES)

Codes = npt.NDArray[np.int64]
Difficulty = Callable[[np.random.Generator, int], Values]


def graded(random: np.random.Generator, count: int) -> Values:
    """Error rates of films that differ as usual: 5 % to 50 %."""
    return random.uniform(0.05, 0.5, count)


def all_or_nothing(random: np.random.Generator, count: int) -> Values:
    """Of films that are either clear or hopeless, more often than in between."""
    return 0.9 * random.beta(0.5, 0.9, count)


def answers(random: np.random.Generator, films: Codes, raters: int, difficulty: Difficulty = graded) -> Codes:
    """(clips, raters): choices of raters who err independently of each other, as often as the clip's film is hard."""
    rate = difficulty(random, int(films.max()) + 1)[films][:, None]
    truth = random.integers(CHOICE_COUNT - 1, size=len(films))[:, None]
    shape = (len(films), raters)
    other = (truth + random.integers(1, CHOICE_COUNT, size=shape)) % CHOICE_COUNT
    return np.asarray(np.where(random.random(shape) < rate, other, truth))


def counted(codes: Codes) -> Codes:
    """(clips, choices): how many of the raters gave each choice."""
    return (codes[:, :, None] == np.arange(CHOICE_COUNT)).sum(axis=1)


@dataclass(frozen=True)
class Coverage:
    """Shares of libraries whose interval holds the truth: by source as it is, its plain percentiles, and by clip."""

    name: str
    source_count: int
    kappa: float
    gap: float
    plain: float
    by_clip: float
    width: float


def coverage(
    sizes: Sequence[int], libraries: int, *, name: str, difficulty: Difficulty = graded, seed: int = 1
) -> Coverage:
    """Of libraries of three people and a labeller as good as they, films of these sizes."""
    random = np.random.default_rng(seed)
    truth = true_kappa(difficulty)
    films = np.repeat(np.arange(len(sizes)), sizes)
    by_source = SourceDraws.of([f"{film:04d}" for film in films])
    by_clip = SourceDraws.of([f"{clip:04d}" for clip in range(len(films))])
    held = np.zeros(4)
    width = 0.0
    for _ in range(libraries):
        given = answers(random, films, 4, difficulty)
        people, model = counted(given[:, :3]), counted(given[:, 3:])
        drawn = pooled_kappa(people, by_source)
        gaps = drawn - pooled_kappa_between(people, model, by_source)
        found = (
            (by_source.interval(drawn), truth),
            (by_source.interval(gaps), 0.0),
            (tuple(np.quantile(drawn, (0.025, 0.975))), truth),
            (by_clip.interval(pooled_kappa(people, by_clip)), truth),
        )
        held += [interval is not None and interval[0] <= right <= interval[1] for interval, right in found]
        low, high = found[0][0] or (np.nan, np.nan)
        width += high - low
    return Coverage(name, len(sizes), *(held / libraries), width / libraries)


@cache
def true_kappa(difficulty: Difficulty) -> float:
    """What the pooled kappa would be of endlessly many films."""
    films = np.arange(400_000)
    return float(pooled_kappa(counted(answers(np.random.default_rng(0), films, 3, difficulty)))[0])


def coverages(libraries: int) -> Iterator[Coverage]:
    for size in CLIPS_PER_SOURCE:
        yield coverage([size] * (CLIP_COUNT // size), libraries, name=f"{size} a source")
    eleven = [20] * (CLIP_COUNT // 20)
    yield coverage(eleven[:MIN_SOURCES], libraries, name=f"20 a source, {MIN_SOURCES} sources")
    yield coverage(UNEVEN, libraries, name=f"{min(UNEVEN)} to {max(UNEVEN)} a source")
    yield coverage(eleven, libraries, name="20 a source, films clear or hopeless", difficulty=all_or_nothing)


@dataclass(frozen=True)
class GapOfEquals:
    """Human-human less human-labeller of equally good raters, on average over libraries: pooled, and of plain means."""

    people: int
    least_shared: float
    pooled: float
    means: float


def gap_of_equals(people: int, libraries: int, *, seed: int = 2) -> GapOfEquals:
    """Three of the people answer each clip; the truth is a gap of 0."""
    random = np.random.default_rng([seed, people])
    raters = [f"person-{number:03d}" for number in range(people)]
    found = []
    for _ in range(libraries):
        given = answers(random, np.arange(CLIP_COUNT), 4)
        codes = np.full((people + 1, CLIP_COUNT), MISSING)
        who = random.random((CLIP_COUNT, people)).argsort(axis=1)[:, :3]
        codes[who.T, np.arange(CLIP_COUNT)] = given[:, :3].T
        codes[people] = given[:, 3]
        kinds = kinds_of_pairs(
            RatingMatrix(
                [*raters, "vlm"],
                dict.fromkeys(raters, "human") | {"vlm": "vlm"},
                [f"clip-{number}" for number in range(CLIP_COUNT)],
                codes,
            )
        )
        one, other = kinds[HUMAN_HUMAN], kinds[HUMAN_VLM]
        numbers = (one.least_clip_count, one.kappa, other.kappa, one.mean, other.mean)
        found.append([np.nan if number is None else float(number) for number in numbers])
    least, kappa, with_model, mean, mean_with_model = np.mean(found, axis=0)
    return GapOfEquals(people, least, kappa - with_model, mean - mean_with_model)


@dataclass(frozen=True)
class Accused:
    """Shares of teams in which somebody is called odd: of equally good people, and a careless one among them."""

    people: int
    clip_count: int
    clips_per_source: int
    anybody: float
    careless: float


def accused(people: int, clip_count: int, per_source: int, teams: int, *, seed: int = 3) -> Accused:
    """People have different trouble with the same film. The careless one answers at random every third time."""
    random = np.random.default_rng([seed, people, clip_count, per_source])
    anybody = careless = 0
    for _ in range(teams):
        films = np.arange(clip_count) // per_source
        who = random.random((clip_count, people)).argsort(axis=1)[:, :3]
        own = random.uniform(-0.2, 0.2, (int(films.max()) + 1, people))
        hard = random.uniform(0.1, 0.5, int(films.max()) + 1)
        rate = np.clip(hard[:, None] + own, 0, 1)[films[:, None], who]
        truth = random.integers(CHOICE_COUNT - 1, size=(clip_count, 1))
        other = (truth + random.integers(1, CHOICE_COUNT, size=who.shape)) % CHOICE_COUNT
        given = np.where(random.random(who.shape) < rate, other, truth)
        anybody += bool(_odd(who, films, given))
        guess = random.integers(CHOICE_COUNT, size=who.shape)
        is_careless = (who == 0) & (random.random(who.shape) < 1 / 3)
        careless += 0 in _odd(who, films, np.where(is_careless, guess, given))
    return Accused(people, clip_count, per_source, anybody / teams, careless / teams)


def _odd(who: Codes, films: Codes, given: Codes) -> set[int]:
    """As `odd_annotators` decides: p times the number of questions asked."""
    rows = annotator_quality(
        (
            {
                "clip_id": f"movie-{films[clip]:04d}-{clip:08d}-{clip + 1:08d}",
                "purpose": "label",
                "annotator_id": str(person),
                "label": HUMAN_CHOICES[label],
                "lead_time_s": None,
            }
            for clip, (team, labels) in enumerate(zip(who.tolist(), given.tolist(), strict=True))
            for person, label in zip(team, labels, strict=True)
        ),
        domain="movie",
        resamples=2,
    )
    p_values = {int(row["annotator_id"]): row["deviation_p_value"] for row in rows}
    asked = sum(p is not None for p in p_values.values())
    return {person for person, p in p_values.items() if p is not None and p * asked < ODD}


def tables(libraries: int) -> Iterator[tuple[str, str]]:
    """(marker, Markdown) of each question."""
    yield (
        "agreement-coverage",
        table(
            ("clips", "sources", "kappa", "gap", "plain percentiles", "drawn by clip", "mean width"),
            [
                (
                    one.name,
                    one.source_count,
                    *(f"{share:.1%}" for share in (one.kappa, one.gap, one.plain, one.by_clip)),
                    f"{one.width:.3f}",
                )
                for one in coverages(libraries)
            ],
        ),
    )
    yield (
        "agreement-gap",
        table(
            ("people", "least shared clips of two people", "gap, pooled", "gap of plain means"),
            [
                (one.people, f"{one.least_shared:.1f}", f"{one.pooled:+.3f}", f"{one.means:+.3f}")
                for one in (gap_of_equals(people, max(libraries // 20, 1)) for people in PEOPLE_COUNTS)
            ],
        ),
    )
    yield (
        "agreement-odd",
        table(
            ("people", "clips", "clips a source", "teams that accuse an equal", "careless one found"),
            [
                (one.people, one.clip_count, one.clips_per_source, f"{one.anybody:.1%}", f"{one.careless:.0%}")
                for one in (accused(*team, max(libraries // 2, 1)) for team in TEAMS)
            ],
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=int, default=LIBRARIES, help="simulated libraries a row")
    parser.add_argument("--markdown", type=Path, help="document whose tables are replaced")
    options = parser.parse_args()
    for marker, text in tables(options.libraries):
        print(f"\n{text}", flush=True)
        if options.markdown:
            fill(options.markdown, marker, text)


if __name__ == "__main__":
    main()
