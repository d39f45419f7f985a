"""What the answers of a study say of each pair of generators.

Belongs here: the rows of `preference_results`. Does not belong here: which answers count (`preference_answers`), how
strengths are fitted (`bradley_terry`).

Answers of several people about one pair of videos are no independent findings: a test over answers would reject far too
often. So the test is over pairs of videos: of each it is asked for which side there are more people, and how likely so
uneven a split is where neither side is better. Intervals of strengths draw prompts and people at once (Owen 2007, "The
pigeonhole bootstrap", which errs to the wide side).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.generation.bradley_terry import differences
from emovid_assets.core.generation.study_pairs import QUESTIONS, TIE, A, B, prompt_key
from emovid_assets.core.source_draws import MIN_SOURCES, RESAMPLES, SEED, SourceDraws, expanded_tail
from emovid_assets.core.statistics.paired_tests import holm, mcnemar_exact
from emovid_assets.core.statistics.quotients import Values, number
from emovid_assets.core.statistics.rater_counts import krippendorff_alpha

Row = dict[str, Any]

MIN_PEOPLE = 3
"""With fewer the draws of people say next to nothing of how people differ."""
_FIRST, _SECOND, _NEITHER = range(3)


def preference_results(
    answers: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    *,
    resamples: int = RESAMPLES,
    seed: str = SEED,
) -> list[Row]:
    """Rows of `preference_results`; `answers` are rows of `preferences`, `tasks` of `preference_tasks`, of all domains.

    Answers that a rule excludes do not count. Each scope has a row for each two generators that occur in its answers,
    also where nobody compared them directly.
    """
    by_id = {task["task_id"]: task for task in tasks}
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for answer in answers:
        task = by_id.get(answer["task_id"])
        if answer["exclusion"] is None and task is not None:
            for scope in (task["domain"], TOTAL):
                groups[answer["question"], task["task"], scope].append(answer)
    rows: list[Row] = []
    order = {scope: place for place, scope in enumerate((*DOMAINS, TOTAL))}
    for key in sorted(groups, key=lambda key: (QUESTIONS.index(key[0]), key[1], order[key[2]])):
        question, task_name, scope = key
        named = {"question": question, "task": task_name, "scope": scope}
        rows += [{**named, **row} for row in _of_group(groups[key], by_id, resamples, seed)]
    return rows


@dataclass(frozen=True)
class _Answers:
    """Answers as arrays, an entry each: places of the first and second generator by name, what was chosen, and of
    which pair of videos, prompt and person."""

    generators: list[str]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    chosen: npt.NDArray[np.intp]
    pairs: npt.NDArray[np.str_]
    prompts: npt.NDArray[np.str_]
    people: npt.NDArray[np.str_]

    @classmethod
    def of(cls, answers: Sequence[Mapping[str, Any]], tasks: Mapping[str, Mapping[str, Any]]) -> "_Answers":
        asked = [tasks[answer["task_id"]] for answer in answers]
        generators = sorted({task[side] for task in asked for side in ("generator_a", "generator_b")})
        place = {name: index for index, name in enumerate(generators)}
        first, second, chosen = [], [], []
        for answer, task in zip(answers, asked, strict=True):
            left, right = place[task["generator_a"]], place[task["generator_b"]]
            first.append(min(left, right))
            second.append(max(left, right))
            # The left side is the first generator in half of the pairs.
            sides = {A: _FIRST, B: _SECOND, TIE: _NEITHER} if left < right else {A: _SECOND, B: _FIRST, TIE: _NEITHER}
            chosen.append(sides[answer["choice"]])
        return cls(
            generators,
            np.array(first, np.intp),
            np.array(second, np.intp),
            np.array(chosen, np.intp),
            np.array([task["task_id"] for task in asked]),
            np.array([prompt_key(task) for task in asked]),
            np.array([answer["annotator_id"] for answer in answers]),
        )

    def tables(self, weights: Values) -> tuple[Values, Values]:
        """Wins and ties, (resamples, generators, generators) each, where answers count by `weights`."""
        n = len(self.generators)
        cell = (self.first * n + self.second) * 3 + self.chosen
        found, place = np.unique(cell, return_inverse=True)
        sums = np.zeros((len(weights), n * n * 3))
        sums[:, found] = weights @ np.eye(len(found))[place]
        counts = sums.reshape(-1, n, n, 3)
        wins = counts[..., _FIRST] + np.swapaxes(counts[..., _SECOND], 1, 2)
        return wins, counts[..., _NEITHER] + np.swapaxes(counts[..., _NEITHER], 1, 2)


def _of_group(
    given: Sequence[Mapping[str, Any]], tasks: Mapping[str, Mapping[str, Any]], resamples: int, seed: str
) -> list[Row]:
    answers = _Answers.of(given, tasks)
    measured = differences(*answers.tables(np.ones((1, len(given)))))[0]
    has_interval = len(set(answers.prompts)) >= MIN_SOURCES and len(set(answers.people)) >= MIN_PEOPLE
    drawn = _drawn(answers, resamples, seed) if has_interval else None
    is_trial = any(tasks[answer["task_id"]]["is_trial"] for answer in given)
    rows = []
    for first, second in combinations(range(len(answers.generators)), 2):
        row = _counted(answers, first, second)
        strength = measured[first, second]
        row |= dict.fromkeys(("strength", "strength_low", "strength_high", "p_adjusted"))
        row["is_trial"] = is_trial
        names = answers.generators[first], answers.generators[second]
        row["remark"] = _unbound(strength, *names)
        if np.isfinite(strength):
            row["strength"] = float(strength)
            if drawn is None:
                row["remark"] = f"an interval needs {MIN_SOURCES} prompts and {MIN_PEOPLE} people"
            else:
                low, high = _interval(drawn[:, first, second], len(set(answers.prompts)))
                row |= {"strength_low": low, "strength_high": high, "remark": _open(low, high)}
        rows.append(row)
    tested = [row for row in rows if row["p"] is not None]
    for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_adjusted"] = adjusted
    return rows


def _drawn(answers: _Answers, resamples: int, seed: str) -> Values:
    prompts = SourceDraws.of(answers.prompts.tolist(), resamples=resamples, seed=f"{seed}/prompts")
    people = SourceDraws.of(answers.people.tolist(), resamples=resamples, seed=f"{seed}/people")
    return differences(*answers.tables(prompts.weights * people.weights))


def _interval(drawn: Values, prompt_count: int) -> tuple[float | None, float | None]:
    """What is unknown in a draw may lie anywhere: it counts as below for the lower end, and as above for the upper."""
    tail = expanded_tail(prompt_count)
    low = np.quantile(np.where(np.isnan(drawn), -np.inf, drawn), tail, method="lower")
    high = np.quantile(np.where(np.isnan(drawn), np.inf, drawn), 1 - tail, method="higher")
    return (float(low) if np.isfinite(low) else None), (float(high) if np.isfinite(high) else None)


def _counted(answers: _Answers, first: int, second: int) -> Row:
    chosen = (answers.first == first) & (answers.second == second)
    what, pairs = answers.chosen[chosen], answers.pairs[chosen]
    counts = np.zeros((len(set(pairs)), 3), np.int64)
    np.add.at(counts, (np.unique(pairs, return_inverse=True)[1], what), 1)
    totals = Counter(what.tolist())
    for_first = int((counts[:, _FIRST] > counts[:, _SECOND]).sum())
    for_second = int((counts[:, _SECOND] > counts[:, _FIRST]).sum())
    return {
        "generator_a": answers.generators[first],
        "generator_b": answers.generators[second],
        "prefers_a_count": totals[_FIRST],
        "prefers_b_count": totals[_SECOND],
        "tie_count": totals[_NEITHER],
        "pair_count": len(counts),
        "annotator_count": len(set(answers.people[chosen])),
        "pairs_for_a_count": for_first,
        "pairs_for_b_count": for_second,
        "p": mcnemar_exact(for_first, for_second) if for_first + for_second else None,
        "agreement": number(krippendorff_alpha(counts)[0]),
    }


def _unbound(strength: float, first: str, second: str) -> str | None:
    """Why there is no strength of the second over the first; null where there is one."""
    if np.isnan(strength):
        return f"no chain of answers connects {first} and {second}: how they compare is unknown"
    if np.isinf(strength):
        above, below = (second, first) if strength > 0 else (first, second)
        return f"no answer puts {below} level with {above}, also not by way of others: the odds have no bound"
    return None


def _open(low: float | None, high: float | None) -> str | None:
    if low is None and high is None:
        return "the interval is open at both ends: there are too few answers"
    if low is None or high is None:
        return f"the interval has no {'lower' if low is None else 'upper'} end: in too many draws no answer bounds it"
    return None
