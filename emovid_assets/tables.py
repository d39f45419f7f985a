"""The registry: every table once, with type, unit and meaning of each column.

From here come the Arrow schema of the Parquet files, the column schema in the Dagster UI, the
dagster-pandas types of the label tables, the blocking checks, the empty anchors of the SQL views and
the reference in `docs/reference.md`. A column that is not here does not exist.

Belongs here: names, types, units, meanings, limits. Does not belong here: how a value is computed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pyarrow as pa

from emovid_assets.core.agreement_statistics import ALL_CHOICES
from emovid_assets.core.clip_facts import FACTS
from emovid_assets.core.collection.attempts import STATUSES
from emovid_assets.core.collection.terms import TERMS
from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES, POLARITIES, VERIFY_CHOICES
from emovid_assets.core.labeller_comparison import LEAST_PROBABILITY, MAJORITY, OTHERS, PEOPLE, PERSON
from emovid_assets.core.phrases import LONGEST
from emovid_assets.core.video.clip_copy import REASONS

TEXT, INTEGER, NUMBER, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TIMESTAMP = pa.timestamp("us", tz="UTC")
NUMBERS, TEXTS = pa.list_(pa.float64()), pa.list_(pa.string())
VECTOR = pa.list_(pa.float32())

ROWS_AT_ONCE = 512

ORIGINS = tuple(TERMS)
PURPOSES = ("label", "verify", "validate", "review")
LABELLER_KINDS = ("embedded", "zero_shot", "fine_tuned")
RATER_KINDS = (*LABELLER_KINDS, PERSON, PEOPLE)
OUTCOMES = ("agreed", "no_majority", "no_specific_emotion", "rejected")
DROP_REASONS = ("too_short", "too_long")
SPLITS = ("benchmark", "train", "unused")
SEPARATED = ("domain", "emotion")
PAIR_KINDS = ("human_human", "human_vlm")
AGREEMENT_STATISTICS = (
    "fleiss_kappa",
    "krippendorff_alpha",
    "mean_kappa_human_human",
    "mean_kappa_human_vlm",
    "kappa_gap",
)


@dataclass(frozen=True)
class Column:
    """One column. Limits are inclusive; `vocabulary` and limits do not apply to nulls."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str | None = None
    is_nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    vocabulary: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """One table: one Parquet file per domain, or a single file where `is_partitioned` is false."""

    name: str
    grain: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    is_partitioned: bool = True
    uses_pandas_type: bool = False

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type, nullable=c.is_nullable) for c in self.columns])

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def empty(self) -> pa.Table:
        return self.schema.empty_table()

    def from_rows(self, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        """Arrow table sorted by the key, so that equal content has equal bytes.

        Rows may come from a generator: a few hundred at a time are held as Python objects, which take some ten
        times the space of columns.

        Raises KeyError where a row misses a column or has one too many: a silent null is a bug.
        """
        parts = [self.empty()]
        waiting = iter(rows)
        while some := [self._checked(row) for row in islice(waiting, ROWS_AT_ONCE)]:
            parts.append(pa.Table.from_pylist(some, schema=self.schema))
        table = pa.concat_tables(parts)
        parts.clear()
        return table.combine_chunks().sort_by([(name, "ascending") for name in self.key])

    def _checked(self, row: Mapping[str, Any]) -> dict[str, Any]:
        expected = set(self.column_names)
        if set(row) != expected:
            missing, extra = sorted(expected - set(row)), sorted(set(row) - expected)
            raise KeyError(f"table {self.name}: row misses {missing} and has unknown {extra}")
        return dict(row)


def _id(name: str, meaning: str, *, is_nullable: bool = False) -> Column:
    return Column(name, TEXT, meaning, is_nullable=is_nullable)


def _share(name: str, meaning: str, *, is_nullable: bool = False) -> Column:
    return Column(name, NUMBER, meaning, is_nullable=is_nullable, minimum=0, maximum=1)


def _coefficient(name: str, meaning: str) -> Column:
    return Column(name, NUMBER, meaning, is_nullable=True, minimum=-1, maximum=1)


def _count(name: str, meaning: str, minimum: int = 0) -> Column:
    return Column(name, INTEGER, meaning, minimum=minimum)


def _emotion(name: str = "emotion", meaning: str = "one of the eight", *, is_nullable: bool = False) -> Column:
    return Column(name, TEXT, meaning, is_nullable=is_nullable, vocabulary=EMOTION_NAMES)


DOMAIN = Column("domain", TEXT, "movie, animation or sticker; the partition", vocabulary=DOMAINS)
SOURCE_ID = _id("source_id", "`<domain>-<first 16 hex digits of the SHA-256 of the file>`")
CLIP_ID = _id("clip_id", "`<source_id>-<start_ms>-<end_ms>`, both zero-padded to 8 digits")
INTENDED_EMOTION = _emotion(
    "intended_emotion", "emotion under which the sticker was collected; null where unknown", is_nullable=True
)
ORIGIN = Column("origin", TEXT, "where it was collected, such as `condensed_movies` or `klipy`", is_nullable=True)
SCENE_INDEX = Column("scene_index", INTEGER, "position among the segments of the source, from 0", minimum=0)
START_S = Column("start_s", NUMBER, "start, counted from the first video frame", "s", minimum=0)
END_S = Column("end_s", NUMBER, "end (exclusive), counted from the first video frame", "s", minimum=0)
DURATION_S = Column("duration_s", NUMBER, "length by presentation stamps", "s", minimum=0)
WIDTH = Column("width_px", INTEGER, "width as displayed (rotation applied)", "px", minimum=1)
HEIGHT = Column("height_px", INTEGER, "height as displayed (rotation applied)", "px", minimum=1)
SHA256 = Column("sha256", TEXT, "SHA-256 of the file, hex")
SIZE = Column("size_bytes", INTEGER, "size of the file", "bytes", minimum=1)
HAS_AUDIO = Column("has_audio", FLAG, "whether an audio stream exists")
VIDEO_CODEC = Column("video_codec", TEXT, "codec of the video stream")
AUDIO_CODEC = Column("audio_codec", TEXT, "codec of the audio stream", is_nullable=True)
MODEL_ID = Column("model_id", TEXT, "the model that answered; `embedded/...` are this project's own small models")
MODEL_REVISION = Column("model_revision", TEXT, "content hash or revision of that model")
PROMPT_SHA256 = Column(
    "prompt_sha256", TEXT, "SHA-256 of the prompt; null where the model takes none", is_nullable=True
)
FRAME_PTS_S = Column("frame_pts_s", NUMBERS, "frames that the model saw, from the clip's first frame", "s")
ANNOTATOR_ID = Column("annotator_id", TEXT, "who answered; simulated people begin with `simulated-`")
PURPOSE = Column("purpose", TEXT, "why the clip was shown", vocabulary=PURPOSES)
CHOICES = (*HUMAN_CHOICES, *VERIFY_CHOICES)
PAIR_COLUMNS = (
    Column("rater_a", TEXT, "first of the pair, by name"),
    Column("rater_b", TEXT, "second of the pair"),
    Column("pair_kind", TEXT, "who is compared", vocabulary=PAIR_KINDS),
    _count("clip_count", "clips both rated", 1),
    _share("observed_agreement", "p_o"),
    _share("expected_agreement", "p_e"),
    _coefficient("kappa", "(p_o - p_e) / (1 - p_e); null where p_e = 1"),
    _coefficient("kappa_low", "2.5 % bootstrap quantile"),
    _coefficient("kappa_high", "97.5 % bootstrap quantile"),
)

_TABLES = (
    Table(
        "wanted_videos",
        "wanted item",
        "Every video, sticker or animation that is known to exist at an origin, whether it is in the library or not.",
        ("origin", "external_id"),
        (
            DOMAIN,
            Column("origin", TEXT, "where it is collected, such as `condensed_movies` or `klipy`", vocabulary=ORIGINS),
            Column("external_id", TEXT, "id at the origin"),
            Column("status", TEXT, "how far it is; see docs/collection.md", vocabulary=STATUSES),
            Column("reason_code", TEXT, "stable code of why it is not there, such as `gone`", is_nullable=True),
            Column("reason", TEXT, "what the origin or the file said", is_nullable=True),
            _count("attempt_count", "failed attempts so far"),
            Column("next_try_at", TIMESTAMP, "not before then; null: at once, or not by itself", is_nullable=True),
            Column("path", TEXT, "file below the home folder, where it is present", is_nullable=True),
            Column("duplicate_of", TEXT, "`<origin>/<external_id>` of the item that shows the same", is_nullable=True),
            Column("title", TEXT, "title at the origin", is_nullable=True),
            Column("film_id", TEXT, "film that it is a part of", is_nullable=True),
            Column("film_position", INTEGER, "position within the film", is_nullable=True),
            Column("film_video_count", INTEGER, "videos that the film is cut into", is_nullable=True, minimum=1),
            Column("is_position_shared", FLAG, "whether another video claims the same position"),
            Column("year", INTEGER, "of the film", is_nullable=True),
            Column("genres", TEXTS, "of the film"),
            Column("official_split", TEXT, "where Condensed Movies puts the film", is_nullable=True),
            Column("trim_s", NUMBER, "what begins later does not belong to it", "s", True, minimum=0),
            Column("found_emotions", TEXTS, "emotions whose words found it; more than one make it ambiguous"),
            Column("is_ambiguous", FLAG, "whether it was found under more than one emotion"),
            INTENDED_EMOTION,
            Column("origin_url", TEXT, "its page at the origin", is_nullable=True),
            Column("attribution", TEXT, "whom to name where it is shown", is_nullable=True),
            Column("license", TEXT, "licence", is_nullable=True),
            Column("terms_url", TEXT, "terms of the origin", is_nullable=True),
        ),
    ),
    Table(
        "source_videos",
        "source video",
        "Every readable media file of the library, identified by content.",
        ("source_id",),
        (
            SOURCE_ID,
            DOMAIN,
            Column("path", TEXT, "path below the home folder; of equal files, the first by name"),
            Column("duplicate_paths", TEXTS, "other paths that hold the same bytes"),
            Column("subtitle_sha256", TEXT, "of the subtitle file beside it (.srt or .vtt)", is_nullable=True),
            Column("external_id", TEXT, "id at the place of origin (manifest)", is_nullable=True),
            Column("title", TEXT, "title (manifest)", is_nullable=True),
            Column("film_id", TEXT, "film that the file is a part of (manifest)", is_nullable=True),
            Column("film_position", INTEGER, "position within the film (manifest)", is_nullable=True),
            INTENDED_EMOTION,
            Column("region", TEXT, "region of origin (manifest)", is_nullable=True),
            Column("character", TEXT, "who is shown (manifest)", is_nullable=True),
            Column("is_audio_expected", FLAG, "whether the set says that there is sound (manifest)", is_nullable=True),
            Column("trim_s", NUMBER, "what begins later does not belong to it: an advert", "s", True, minimum=0),
            ORIGIN,
            Column("origin_url", TEXT, "page of the file at its place of origin", is_nullable=True),
            Column("attribution", TEXT, "whom to name where it is shown", is_nullable=True),
            Column("license", TEXT, "licence (manifest)", is_nullable=True),
            Column("terms_url", TEXT, "terms of the place of origin", is_nullable=True),
            SHA256,
            SIZE,
            Column("container", TEXT, "container format"),
            VIDEO_CODEC,
            WIDTH,
            HEIGHT,
            Column("fps", NUMBER, "mean frame rate by presentation stamps", "hz", minimum=0),
            Column("frame_count", INTEGER, "frames in presentation order", minimum=1),
            DURATION_S,
            Column("is_vfr", FLAG, "whether frame durations differ by more than a tick"),
            Column("is_interlaced", FLAG, "whether the stream or its first frame is coded in fields"),
            Column("is_hdr", FLAG, "whether the transfer characteristic is PQ or HLG"),
            Column(
                "rotation_deg",
                INTEGER,
                "how far players turn the coded picture clockwise; sizes are as displayed",
                "deg",
                minimum=0,
                maximum=270,
            ),
            Column("pixel_format", TEXT, "FFmpeg's name of the decoded pixel format"),
            HAS_AUDIO,
            AUDIO_CODEC,
            Column("sample_rate_hz", INTEGER, "sample rate of the audio", "hz", is_nullable=True),
        ),
    ),
    Table(
        "segments",
        "segment",
        "Half-open intervals between scene cuts, or whole short files; kept or dropped by length.",
        ("source_id", "scene_index"),
        (
            SOURCE_ID,
            CLIP_ID,
            DOMAIN,
            SCENE_INDEX,
            START_S,
            END_S,
            Column("start_frame", INTEGER, "first frame", minimum=0),
            Column("end_frame", INTEGER, "frame after the last", minimum=1),
            DURATION_S,
            Column("is_kept", FLAG, "whether the segment is a clip of the dataset"),
            Column("drop_reason", TEXT, "why not", is_nullable=True, vocabulary=DROP_REASONS),
        ),
    ),
    Table(
        "clips",
        "clip",
        "The kept segments: the units of the dataset.",
        ("clip_id",),
        (
            CLIP_ID,
            SOURCE_ID,
            DOMAIN,
            SCENE_INDEX,
            START_S,
            END_S,
            DURATION_S,
            Column("frame_count", INTEGER, "frames of the clip", minimum=1),
            Column("fps", NUMBER, "frame_count / duration_s", "hz", minimum=0),
            WIDTH,
            HEIGHT,
            HAS_AUDIO,
            Column("thumbnail_path", TEXT, "JPEG of the clip's middle sampled frame, below the home folder"),
        ),
    ),
    Table(
        "clip_media",
        "clip",
        "Frame-exact, playable files of the clips with their own audio.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("media_path", TEXT, "MP4 below the home folder"),
            SHA256,
            SIZE,
            VIDEO_CODEC,
            AUDIO_CODEC,
            DURATION_S,
            Column("is_copied", FLAG, "whether the pictures are the source's own packets, without loss"),
            Column(
                "encoding_reason",
                TEXT,
                "why the pictures were encoded to H.264; null where they were copied",
                is_nullable=True,
                vocabulary=tuple(REASONS),
            ),
        ),
    ),
    Table(
        "colour_attributes",
        "clip",
        "The paper's colour attributes, pooled over all pixels of the frames 0, 20, 40, … (stride configurable).",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("brightness", NUMBER, "brightness_mean rounded half up to 0.1", minimum=0, maximum=1),
            Column("colorfulness", NUMBER, "colorfulness_mean rounded half up to 0.1", minimum=0, maximum=1),
            Column(
                "hue",
                INTEGER,
                "circular mean hue over all pixels, rounded, mod 360; null without a direction",
                "deg",
                is_nullable=True,
                minimum=0,
                maximum=359,
            ),
            _share("brightness_mean", "mean V"),
            _share("colorfulness_mean", "mean S"),
            Column(
                "hue_mean_deg",
                NUMBER,
                "hue before rounding, 0 ≤ x < 360",
                "deg",
                is_nullable=True,
                minimum=0,
                maximum=360,
            ),
            _share("hue_resultant", "length of the mean hue vector; 0 = hues cancel, 1 = a single hue"),
            Column(
                "hue_chromatic_deg",
                NUMBER,
                "circular mean hue over pixels with S > 0 and V > 0; null where there are none",
                "deg",
                is_nullable=True,
                minimum=0,
                maximum=360,
            ),
            _share("chromatic_share", "share of pixels with S > 0 and V > 0"),
            Column("sampled_frame_count", INTEGER, "frames pooled", minimum=1),
            Column("sampled_pixel_count", INTEGER, "pixels pooled", minimum=1),
        ),
    ),
    Table(
        "clip_features",
        "clip",
        "What the embedded labeller and describer see: palette, motion, cut rhythm, sound.",
        ("clip_id",),
        (
            CLIP_ID,
            SOURCE_ID,
            DOMAIN,
            DURATION_S,
            Column(
                "colour_histogram", NUMBERS, "12 hue bins weighted by saturation, 8 of S, 8 of V; each part sums to 1"
            ),
            _share("motion_mean", "mean absolute change of grey value between frames, of full scale"),
            _share("motion_sd", "its standard deviation"),
            _share("motion_peak", "its 95th percentile"),
            Column(
                "cut_rate_hz", NUMBER, "scene cuts per second within 30 s around the clip's middle", "hz", minimum=0
            ),
            HAS_AUDIO,
            Column(
                "loudness_db",
                NUMBER,
                "mean level, dB of full scale, floor -80; null without audio",
                "db",
                is_nullable=True,
            ),
            Column("loudness_sd_db", NUMBER, "standard deviation of the level", "db", is_nullable=True, minimum=0),
            Column("spectral_centroid_hz", NUMBER, "energy-weighted mean frequency", "hz", is_nullable=True, minimum=0),
            _share("silence_share", "share of 50 ms windows under -60 dB", is_nullable=True),
            Column("band_shares", NUMBERS, "energy in 8 octave-like bands, sums to 1; empty without audio"),
            Column("sampled_pts_s", NUMBERS, "the sampled frames, from the clip's first frame", "s"),
            Column(
                "sampled_changes", NUMBERS, "changes of V from frame to frame, summed since the sampled frame before"
            ),
            Column("frame_hashes", TEXTS, "64-bit difference hash of the first, middle and last sampled frame, hex"),
        ),
    ),
    Table(
        "annotation_tasks",
        "clip × purpose",
        "What humans are asked: label (three people), verify a sticker, validate blind, review the benchmark.",
        ("clip_id", "purpose"),
        (
            CLIP_ID,
            DOMAIN,
            Column("purpose", TEXT, "why the clip is shown", vocabulary=PURPOSES),
            Column("required_annotators", INTEGER, "different people needed", minimum=1),
            INTENDED_EMOTION,
        ),
    ),
    Table(
        "human_annotations",
        "rater × clip × purpose",
        "Accepted answers; of several by one person, the latest.",
        ("clip_id", "purpose", "annotator_id"),
        (
            CLIP_ID,
            DOMAIN,
            PURPOSE,
            ANNOTATOR_ID,
            Column("label", TEXT, "the answer", vocabulary=CHOICES),
            Column("annotated_at", TIMESTAMP, "when", is_nullable=True),
            Column("tool", TEXT, "where: `label-studio`, `csv` or `simulated`"),
            Column(
                "lead_time_s",
                NUMBER,
                "how long the person took, as the tool measured it; null where unknown",
                "s",
                is_nullable=True,
                minimum=0,
            ),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "rejected_annotations",
        "answer that does not count, or not yet",
        "Answers that cannot count, kept with the reason, and accepted ones that wait for more people "
        "(`too_few_annotators`). Answers whose clip id names no domain are kept under movie.",
        ("file_path", "row_number", "reason"),
        (
            DOMAIN,
            Column("file_path", TEXT, "annotation file, below the home folder"),
            Column(
                "row_number", INTEGER, "row or annotation within the file, from 1; 0 for the file itself", minimum=0
            ),
            Column("clip_id", TEXT, "as written", is_nullable=True),
            Column("annotator_id", TEXT, "as written", is_nullable=True),
            Column("purpose", TEXT, "as written", is_nullable=True),
            Column("label", TEXT, "as written", is_nullable=True),
            Column("reason", TEXT, "stable code, such as `unknown_clip` or `unknown_label`"),
            Column("message", TEXT, "a sentence that says what to do"),
        ),
    ),
    Table(
        "human_labels",
        "clip",
        "The majority of the human annotations; the verified intention for stickers.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            _emotion("emotion", "the label; null unless agreed", is_nullable=True),
            Column("agree_count", INTEGER, "people who chose it", minimum=0),
            Column("annotator_count", INTEGER, "people asked", minimum=1),
            Column("outcome", TEXT, "only `agreed` clips stay in the dataset", vocabulary=OUTCOMES),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "annotator_quality",
        "annotator × purpose",
        "How much each person answered, how fast, and how far they agree with the majority of the others.",
        ("annotator_id", "purpose"),
        (
            DOMAIN,
            ANNOTATOR_ID,
            PURPOSE,
            _count("answer_count", "accepted answers", 1),
            _count("timed_answer_count", "of these, with a known duration"),
            Column("lead_time_median_s", NUMBER, "median time for an answer", "s", is_nullable=True, minimum=0),
            _count("compared_count", "answers to clips on which the others have a majority of at least two"),
            _count("agree_count", "of these, equal to that majority"),
            _share("agreement", "agree_count / compared_count; null without any", is_nullable=True),
            _coefficient("kappa", "Cohen's kappa with the majority of the others; null where p_e = 1"),
            _coefficient("kappa_low", "2.5 % bootstrap quantile over clips"),
            _coefficient("kappa_high", "97.5 % bootstrap quantile over clips"),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "annotator_choices",
        "annotator × purpose × choice",
        "How each person uses each choice: bias against the others on the same clips, recall and precision.",
        ("annotator_id", "purpose", "label"),
        (
            DOMAIN,
            ANNOTATOR_ID,
            PURPOSE,
            Column("label", TEXT, "the choice", vocabulary=CHOICES),
            _count("answer_count", "times the person chose it"),
            _count("shared_clip_count", "clips that the person and somebody else answered"),
            _share("answer_share", "its share of the person's answers on those clips", is_nullable=True),
            _share("others_share", "its share of the others' answers there, each clip weighing 1", is_nullable=True),
            _coefficient("bias", "answer_share - others_share; above 0: chosen more often than by the others"),
            _count("majority_count", "compared clips whose majority of the others is this choice"),
            _count("compared_answer_count", "compared clips on which the person chose it"),
            _count("agree_count", "compared clips on which both did"),
            _share("recall", "agree_count / majority_count; null without any", is_nullable=True),
            _share("precision", "agree_count / compared_answer_count; null without any", is_nullable=True),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "annotator_confusion",
        "annotator × purpose × majority label × label",
        "What each person chose where the majority of the others chose what; only cells that occur.",
        ("annotator_id", "purpose", "majority_label", "label"),
        (
            DOMAIN,
            ANNOTATOR_ID,
            PURPOSE,
            Column("majority_label", TEXT, "what at least two of the others chose, without a tie", vocabulary=CHOICES),
            Column("label", TEXT, "what the person chose", vocabulary=CHOICES),
            _count("clip_count", "clips", 1),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "emotion_labeller",
        "model",
        "The labeller, trained on the human labels or a model used as it is; no row while there are too few of them.",
        ("model_id", "revision"),
        (
            Column("model_id", TEXT, "name of the labeller"),
            Column("base_model", TEXT, "what it was trained from"),
            Column("revision", TEXT, "content hash of weights and training data"),
            Column("kind", TEXT, "how it came to be", vocabulary=LABELLER_KINDS),
            Column("training_clip_count", INTEGER, "human-labelled clips trained on", minimum=0),
            Column("held_out_clip_count", INTEGER, "human-labelled clips that quality is measured on", minimum=0),
            _share("validation_accuracy", "on held-out clips, whose groups were not trained on", is_nullable=True),
            _share("baseline_accuracy", "of always answering the most frequent label, same clips", is_nullable=True),
            _share("validation_macro_f1", "macro F1 on the same clips", is_nullable=True),
            Column("temperature", NUMBER, "that log-probabilities are divided by; 1 where not calibrated", minimum=0),
            Column("path", TEXT, "folder below the home folder; null where nothing was trained", is_nullable=True),
            Column("training_config", TEXT, "JSON"),
        ),
        is_partitioned=False,
    ),
    Table(
        "vlm_labels",
        "clip",
        "The labeller's choice and its distribution over the eight emotions.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            _emotion("emotion", "the most probable"),
            _share("confidence", "its probability"),
            *(_share(f"p_{name}", f"probability of {name}") for name in EMOTION_NAMES),
            MODEL_ID,
            MODEL_REVISION,
            PROMPT_SHA256,
            FRAME_PTS_S,
            Column("parse_status", TEXT, "`scored`: read off the distribution, never guessed from text"),
            _share(
                "mass", "probability that the model gave to all eight answers; null: it has no other", is_nullable=True
            ),
            Column("temperature", NUMBER, "that its log-probabilities were divided by", minimum=0),
            Column("prompt_token_count", INTEGER, "null where the model has no tokens", is_nullable=True, minimum=0),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "captions",
        "clip",
        "A sentence or two per clip. The embedded describer says what was measured, not what is depicted.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("caption", TEXT, "plain English"),
            MODEL_ID,
            MODEL_REVISION,
            PROMPT_SHA256,
            FRAME_PTS_S,
            Column("prompt_token_count", INTEGER, "null where the model has no tokens", is_nullable=True, minimum=0),
            Column("output_token_count", INTEGER, "null where the model has no tokens", is_nullable=True, minimum=0),
            Column("attempt_count", INTEGER, "captions written until one kept to the rules", minimum=1),
        ),
    ),
    Table(
        "emotion_labels",
        "clip",
        "The final label: human where there is one, otherwise the labeller's; stickers only by verification.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            _emotion(),
            Column("polarity", TEXT, "of the emotion", vocabulary=POLARITIES),
            Column("valence", NUMBER, "Warriner mean of the word", minimum=1, maximum=9),
            Column("arousal", NUMBER, "Warriner mean of the word", minimum=1, maximum=9),
            Column("label_source", TEXT, "who said so", vocabulary=("human", "vlm")),
            _share("confidence", "human: share of annotators who agreed; vlm: probability"),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "validation_ratings",
        "rater × clip",
        "The blind answers on the validation clips, and the labeller's on the same ones.",
        ("clip_id", "rater_id"),
        (
            CLIP_ID,
            DOMAIN,
            Column("rater_id", TEXT, "annotator or model"),
            Column("rater_kind", TEXT, "human or vlm", vocabulary=("human", "vlm")),
            Column("label", TEXT, "the choice", vocabulary=HUMAN_CHOICES),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "kappa_validation",
        "pair of raters",
        "Cohen's kappa of every pair over the clips both rated, with a bootstrap interval over clips.",
        ("rater_a", "rater_b"),
        (
            DOMAIN,
            *PAIR_COLUMNS,
        ),
        uses_pandas_type=True,
    ),
    Table(
        "pooled_kappa",
        "pair of raters",
        "Cohen's kappa of every pair over the clips of all domains together, with a bootstrap interval over clips.",
        ("rater_a", "rater_b"),
        PAIR_COLUMNS,
        is_partitioned=False,
        uses_pandas_type=True,
    ),
    Table(
        "agreement_statistics",
        "scope × statistic × emotion",
        "How far the raters agree: Fleiss, Krippendorff, mean kappas and their gap, each with a bootstrap interval.",
        ("scope", "statistic", "emotion"),
        (
            Column(
                "scope", TEXT, "a domain; `total` is the clips of all domains together", vocabulary=(*DOMAINS, TOTAL)
            ),
            Column(
                "statistic",
                TEXT,
                "what is measured; `kappa_gap` is the absolute difference of the two means",
                vocabulary=AGREEMENT_STATISTICS,
            ),
            Column(
                "emotion",
                TEXT,
                "the choice against all others; `all` is the nine choices together",
                vocabulary=(ALL_CHOICES, *HUMAN_CHOICES),
            ),
            Column("value", NUMBER, "null where chance explains everything or raters are missing", is_nullable=True),
            Column("low", NUMBER, "2.5 % bootstrap quantile over clips", is_nullable=True),
            Column("high", NUMBER, "97.5 % bootstrap quantile over clips", is_nullable=True),
            Column(
                "standard_error",
                NUMBER,
                "standard deviation of the resampled values; of the gap with its sign",
                is_nullable=True,
                minimum=0,
            ),
            _count("clip_count", "clips that the statistic rests on"),
            Column(
                "required_clip_count",
                INTEGER,
                "clips for a 95 % interval of ± 0.04, by this standard error; null without one",
                is_nullable=True,
                minimum=1,
            ),
        ),
        is_partitioned=False,
        uses_pandas_type=True,
    ),
    Table(
        "labeller_answers",
        "rater × blind clip",
        "What every labeller at hand and every person say of the blind validation clips that people agree on.",
        ("clip_id", "rater_id"),
        (
            CLIP_ID,
            Column("domain", TEXT, "movie, animation or sticker", vocabulary=DOMAINS),
            Column("rater_id", TEXT, "model or annotator"),
            Column("rater_kind", TEXT, "what the rater is", vocabulary=RATER_KINDS[:-1]),
            Column("model_revision", TEXT, "of a model; null for a person", is_nullable=True),
            Column("label", TEXT, "the choice", vocabulary=HUMAN_CHOICES),
            Column(
                "people_majority",
                TEXT,
                "what at least two people chose, without a tie; the same in all rows of a clip",
                vocabulary=HUMAN_CHOICES,
            ),
            Column(
                "others_majority",
                TEXT,
                "the same of the other people; null for models, and where the others do not agree",
                is_nullable=True,
                vocabulary=HUMAN_CHOICES,
            ),
            *(
                _share(f"p_{name}", f"probability of {name}; null for people", is_nullable=True)
                for name in EMOTION_NAMES
            ),
            Column("model_s", NUMBER, "the clip's share of the model's time", "s", is_nullable=True, minimum=0),
            Column("prompt_token_count", INTEGER, "null where the rater has no tokens", is_nullable=True, minimum=0),
        ),
        is_partitioned=False,
    ),
    Table(
        "labeller_comparison",
        "scope × truth × rater",
        "Labellers and people on the same blind validation clips, each with bootstrap intervals over clips.",
        ("scope", "truth", "rater_id"),
        (
            Column(
                "scope", TEXT, "a domain; `total` is the clips of all domains together", vocabulary=(*DOMAINS, TOTAL)
            ),
            Column(
                "truth",
                TEXT,
                "`majority`: of all people, for models; `others`: for each person the majority of the others, and for "
                "models the same pairs of clip and majority, so that they can be compared with people",
                vocabulary=(MAJORITY, OTHERS),
            ),
            Column("rater_id", TEXT, "model or annotator; `people` is all of them together"),
            Column("rater_kind", TEXT, "what the rater is", vocabulary=RATER_KINDS),
            _count("clip_count", "clips judged: the truth is one of the eight and every labeller at hand answered", 1),
            _count("pair_count", "truths that answers were held against; by `others` a clip may have several", 1),
            _share("accuracy", "share of the answers that are the truth"),
            _share("accuracy_low", "2.5 % bootstrap quantile", is_nullable=True),
            _share("accuracy_high", "97.5 % bootstrap quantile", is_nullable=True),
            _share("macro_f1", "mean F1 of the emotions that occur in the truth"),
            _share("macro_f1_low", "2.5 % bootstrap quantile", is_nullable=True),
            _share("macro_f1_high", "97.5 % bootstrap quantile", is_nullable=True),
            _coefficient("kappa", "Cohen's kappa with the truth, over the nine choices; null where p_e = 1"),
            _coefficient("kappa_low", "2.5 % bootstrap quantile"),
            _coefficient("kappa_high", "97.5 % bootstrap quantile"),
            _share(
                "ece",
                "expected calibration error of the most probable emotion, bins of equally many; null for people",
                is_nullable=True,
            ),
            Column(
                "nll",
                NUMBER,
                f"mean of -log of the truth's probability, at least {LEAST_PROBABILITY:g}; null for people",
                is_nullable=True,
                minimum=0,
            ),
            Column(
                "brier",
                NUMBER,
                "mean squared distance from certainty of the truth",
                is_nullable=True,
                minimum=0,
                maximum=2,
            ),
            Column(
                "model_s_per_clip", NUMBER, "time of the model; null where unknown", "s", is_nullable=True, minimum=0
            ),
            Column("prompt_tokens_per_clip", NUMBER, "null where the rater has none", is_nullable=True, minimum=0),
        ),
        is_partitioned=False,
    ),
    Table(
        "benchmark_split",
        "labelled clip",
        "Benchmark (ten per emotion), training and unused clips; no group is on both sides.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("split", TEXT, "where the clip went", vocabulary=SPLITS),
            _emotion(),
            Column("label_source", TEXT, "who labelled it", vocabulary=("human", "vlm")),
            Column("group_id", TEXT, "clips of one source, one film or near-duplicates share it"),
            Column("prompt", TEXT, 'caption + ` The video is in the "<emotion>" emotion.`'),
            Column("first_frame_path", TEXT, "PNG of the first frame (benchmark clips)", is_nullable=True),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "clip_embeddings",
        "clip",
        "What is alike lies close: the measured features of each clip, or what a configured vision model sees in it.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column(
                "embedding",
                VECTOR,
                "`embedded/...`: the measured features as they are, to be standardised before distances are taken; "
                "vision models: mean over the frames, of length 1",
            ),
            _count("dimension", "numbers in the embedding", 1),
            MODEL_ID,
            MODEL_REVISION,
            FRAME_PTS_S,
        ),
    ),
    Table(
        "embedding_map",
        "mapped clip",
        "The embeddings of all domains in the plane, by t-SNE (the paper's Fig. 4); above `embeddings.map_clips` clips "
        "a fair sample of them. What is close was alike; distances between groups and their sizes mean nothing.",
        ("clip_id",),
        (
            CLIP_ID,
            Column("domain", TEXT, "movie, animation or sticker", vocabulary=DOMAINS),
            _emotion("emotion", "the final label; null for clips without one", is_nullable=True),
            Column("x", NUMBER, "t-SNE, no unit"),
            Column("y", NUMBER, "t-SNE, no unit"),
            MODEL_ID,
            MODEL_REVISION,
        ),
        is_partitioned=False,
    ),
    Table(
        "embedding_separability",
        "grouping × group",
        "How far domains and emotions are separate among the mapped clips: silhouette and neighbours, measured in the "
        "space of the embeddings and not on the map, which draws groups apart that are not. Intervals are bootstrap "
        "quantiles over source videos. Clips count for a grouping where they have a label of it.",
        ("grouping", "group_name"),
        (
            Column("grouping", TEXT, "what is separate", vocabulary=SEPARATED),
            Column("group_name", TEXT, "a domain or emotion; `all` is the mean over all clips of the grouping"),
            _count("clip_count", "clips measured", 1),
            _count("source_count", "source videos that they come from", 1),
            _coefficient(
                "silhouette",
                "mean silhouette, Euclidean: 1 = far from all other groups, 0 = between them; null for one group alone",
            ),
            _coefficient("silhouette_low", "2.5 % quantile; null below two sources"),
            _coefficient("silhouette_high", "97.5 % quantile; null below two sources"),
            _count("neighbour_count", "nearest clips of other source videos that each clip was given, at most"),
            _share("purity", "share of these neighbours in the clip's own group; null without any", is_nullable=True),
            _share("purity_low", "2.5 % quantile; null below two sources", is_nullable=True),
            _share("purity_high", "97.5 % quantile; null below two sources", is_nullable=True),
            _share("chance_purity", "the same of neighbours drawn blindly from other source videos", is_nullable=True),
            _share(
                "purity_p",
                "how often labels that are moved between source videos are as pure beyond chance, of 1,000",
                is_nullable=True,
            ),
            Column(
                "corrected_purity",
                NUMBER,
                "(purity - chance_purity) / (1 - chance_purity): 0 = as by chance, 1 = wholly separate",
                is_nullable=True,
                maximum=1,
            ),
            Column("corrected_low", NUMBER, "2.5 % quantile; null below two sources", is_nullable=True, maximum=1),
            Column("corrected_high", NUMBER, "97.5 % quantile; null below two sources", is_nullable=True, maximum=1),
        ),
        is_partitioned=False,
    ),
    Table(
        "processing_errors",
        "item × asset",
        "The quarantine: what could not be processed, and what to do about it.",
        ("asset", "item_id"),
        (
            DOMAIN,
            Column("asset", TEXT, "asset that could not process the item"),
            Column("item_id", TEXT, "source id, clip id, or path where the file has no id yet"),
            Column("path", TEXT, "file below the home folder", is_nullable=True),
            Column("code", TEXT, "stable code, such as `truncated`"),
            Column("message", TEXT, "a sentence that says what to do"),
            Column("attempt_count", INTEGER, "times tried", minimum=1),
            Column("first_seen_at", TIMESTAMP, "first failure"),
            Column("last_seen_at", TIMESTAMP, "latest failure"),
            Column("input_sha256", TEXT, "content that failed", is_nullable=True),
            Column("code_version", TEXT, "version of the step that failed"),
        ),
    ),
)


def _fact_columns() -> Iterable[Column]:
    """The columns of `clip_facts`: those of the tables that it joins, under its own names."""
    by_name = {table.name: table for table in _TABLES}
    for table, names in FACTS.items():
        columns = {column.name: column for column in by_name[table].columns}
        for column, name in names.items():
            yield replace(columns[column], name=name, is_nullable=columns[column].is_nullable or table != "clips")


_DERIVED_TABLES = (
    Table(
        "clip_facts",
        "clip",
        "Everything that is known of a clip, joined when it is built; null where a stage has not reached the clip.",
        ("clip_id",),
        (
            *_fact_columns(),
            Column("has_caption", FLAG, "whether the clip has a caption that is not blank"),
            _emotion(
                "next_emotion",
                "final label of the next kept segment of the source; null without either",
                is_nullable=True,
            ),
            Column(
                "is_next_adjacent",
                FLAG,
                "whether no dropped segment lies before that next one; null without a next one",
                is_nullable=True,
            ),
        ),
    ),
    Table(
        "disputed_clips",
        "clip × purpose",
        "Clips on which people disagree, with every vote.",
        ("clip_id", "purpose"),
        (
            CLIP_ID,
            DOMAIN,
            PURPOSE,
            _count("vote_count", "people who answered", 2),
            _count("choice_count", "different answers", 2),
            _count("agree_count", "votes of the most frequent answer", 1),
            Column("votes", TEXTS, "the answers, in the order of annotator_ids"),
            Column("annotator_ids", TEXTS, "who answered, sorted"),
            Column("human_outcome", TEXT, "what became of the clip", is_nullable=True, vocabulary=OUTCOMES),
            _emotion("human_emotion", "the human label; null unless agreed", is_nullable=True),
            _emotion("vlm_emotion", "the labeller's choice; null where it has not answered", is_nullable=True),
        ),
    ),
    Table(
        "caption_phrase_counts",
        "emotion × phrase",
        "The frequent phrases of two to four words in captions, and how many captions of each emotion hold them.",
        ("emotion", "phrase"),
        (
            _emotion("emotion", "final label of the clips"),
            Column("phrase", TEXT, "words in lower case, a blank between them"),
            Column("word_count", INTEGER, "words of the phrase", minimum=2, maximum=LONGEST),
            _count("caption_count", "captions that hold the phrase; a caption counts once", 1),
            Column("has_emotion_word", FLAG, "whether a word of it names an emotion, the clips' own or another"),
        ),
        is_partitioned=False,
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in (*_TABLES, *_DERIVED_TABLES)}


def rows_of(table: pa.Table, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Rows as dictionaries, optionally of some columns only."""
    return (table.select(list(columns)) if columns else table).to_pylist()


def each_row(table: pa.Table, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The same, a few hundred at a time: for tables of clips and sources, which grow with the library."""
    chosen = table.select(list(columns)) if columns else table
    for batch in chosen.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from batch.to_pylist()
