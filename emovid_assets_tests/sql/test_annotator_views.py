"""One row per person over all domains and purposes."""

import pytest

from emovid_assets.core.annotator_quality import annotator_choices, annotator_quality
from emovid_assets_tests.sql.conftest import Library


def test_the_summary_adds_up_domains_and_purposes(library: Library) -> None:
    answers = {
        ("movie-1", "label"): ("awe", "awe", "fear"),
        ("movie-2", "label"): ("fear", "fear", "fear"),
        ("sticker-1", "validate"): ("anger", "fear", "fear"),
        ("sticker-2", "verify"): ("accept",),
    }
    rows = [
        {
            "domain": clip_id.split("-")[0],
            "clip_id": clip_id,
            "purpose": purpose,
            "annotator_id": name,
            "label": label,
            "lead_time_s": 2.0 * number if name == "ann" else None,
        }
        for number, ((clip_id, purpose), labels) in enumerate(answers.items(), start=1)
        for name, label in zip(("ann", "bob", "cem"), labels, strict=False)
    ]
    library.plant("human_annotations", rows)
    by_domain = {name: [row for row in rows if row["domain"] == name] for name in ("movie", "sticker")}
    for name, make in (("annotator_quality", annotator_quality), ("annotator_choices", annotator_choices)):
        library.plant(name, [row for domain, part in by_domain.items() for row in make(part, domain=domain)])

    ann, bob, cem = library.query("from annotator_summary")
    assert [ann[name] for name in ("answer_count", "label_count", "validate_count", "verify_count")] == [4, 2, 1, 1]
    assert (ann["lead_time_median_s"], bob["lead_time_median_s"]) == (5.0, None)
    # Ann: the others agree on movie-2 and on sticker-1; Bob: on movie-2 alone; Cem: on movie-1 and movie-2.
    assert [(row["compared_count"], row["agreement"]) for row in (ann, bob, cem)] == [(2, 0.5), (1, 1.0), (2, 0.5)]
    assert (ann["most_biased_label"], ann["most_biased_excess"]) == ("anger", pytest.approx(1))
    assert (cem["most_biased_label"], cem["most_biased_excess"]) == ("fear", pytest.approx(1 + 0.5))


def test_of_equal_biases_the_first_in_emosets_order_is_named(library: Library) -> None:
    library.plant(
        "human_annotations", [{"domain": "movie", "annotator_id": "ann", "clip_id": "movie-1", "label": "awe"}]
    )
    equal = {"domain": "movie", "annotator_id": "ann", "purpose": "label", "shared_clip_count": 10}
    names = ("no_specific_emotion", "sadness", "anger", "excitement", "disgust")
    library.plant(
        "annotator_choices", [equal | {"label": name, "bias": 0.0 if name == "anger" else 0.2} for name in names]
    )
    (row,) = library.query("from annotator_summary")
    assert (row["most_biased_label"], row["most_biased_excess"]) == ("excitement", pytest.approx(2))


def test_biases_that_differ_by_rounding_are_equal(library: Library) -> None:
    library.plant(
        "human_annotations", [{"domain": "movie", "annotator_id": "ann", "clip_id": "movie-1", "label": "awe"}]
    )
    # 0.1 + 0.2 is more than 0.3 in its last digit.
    biases = {"label": {"awe": 0.3, "fear": 0.1}, "validate": {"awe": 0.0, "fear": 0.2}}
    library.plant(
        "annotator_choices",
        [
            {"domain": "movie", "annotator_id": "ann", "purpose": purpose, "label": label, "bias": bias}
            | {"shared_clip_count": 1}
            for purpose, found in biases.items()
            for label, bias in found.items()
        ],
    )
    (row,) = library.query("from annotator_summary")
    assert (row["most_biased_label"], row["most_biased_excess"]) == ("awe", pytest.approx(0.3))


def test_somebody_who_answers_like_all_others_has_no_bias(library: Library) -> None:
    rows = [
        {"domain": "movie", "clip_id": "movie-1", "purpose": "label", "annotator_id": name, "label": "awe"}
        for name in ("ann", "bob")
    ]
    library.plant("human_annotations", rows)
    timeless = [row | {"lead_time_s": None} for row in rows]
    library.plant("annotator_quality", annotator_quality(timeless, domain="movie"))
    library.plant("annotator_choices", annotator_choices(timeless, domain="movie"))
    for row in library.query("from annotator_summary"):
        assert (row["compared_count"], row["agreement"], row["most_biased_label"]) == (0, None, None)
