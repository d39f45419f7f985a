-- view: clip_catalogue
-- gives: Everything that is known of a clip in one wide row; null where a stage has not reached the clip.
-- grain: clip
-- source: this project
-- depends on: clip_facts
-- columns:
--   clip_id (VARCHAR): `<source_id>-<start_ms>-<end_ms>`, both zero-padded to 8 digits
--   domain (VARCHAR): movie, animation or sticker
--   source_id (VARCHAR): source video that the clip is cut from
--   scene_index (BIGINT): position among the segments of the source, from 0
--   start_s (DOUBLE, s): start within the source
--   end_s (DOUBLE, s): end (exclusive) within the source
--   duration_s (DOUBLE, s): length by presentation stamps
--   frame_count (BIGINT): frames of the clip
--   fps (DOUBLE, hz): frame_count / duration_s
--   width_px (BIGINT, px): width as displayed
--   height_px (BIGINT, px): height as displayed
--   has_audio (BOOLEAN): whether the clip has an audio stream
--   sound_missing_s (DOUBLE, s): how much of the clip the sound track holds nothing for; null without sound
--   thumbnail_path (VARCHAR): JPEG of the middle sampled frame, below the home folder
--   source_path (VARCHAR): file of the source, below the home folder
--   source_sha256 (VARCHAR): SHA-256 of the source file, hex
--   external_id (VARCHAR): id of the source at its place of origin
--   title (VARCHAR): title of the source
--   film_id (VARCHAR): film that the source is a part of
--   film_position (BIGINT): position of the source within the film
--   intended_emotion (VARCHAR): emotion under which a sticker was collected
--   region (VARCHAR): region of origin
--   origin (VARCHAR): where the source was collected, such as condensed_movies or klipy
--   origin_url (VARCHAR): page of the source at its place of origin
--   attribution (VARCHAR): whom to name where the clip is shown
--   license (VARCHAR): licence of the source
--   terms_url (VARCHAR): terms of the place of origin
--   colour_matrix (VARCHAR): what the colours of the source are read with
--   is_colour_tagged (BOOLEAN): whether the source says its matrix or needs none
--   audio_track_index (BIGINT): which sound track of the source is taken, from 0; null where none can be heard
--   media_path (VARCHAR): frame-exact playable file of the clip, below the home folder
--   media_sha256 (VARCHAR): SHA-256 of that file, hex
--   media_size_bytes (BIGINT, bytes): size of that file
--   brightness (DOUBLE): mean V, rounded to 0.1
--   colorfulness (DOUBLE): mean S, rounded to 0.1
--   hue (BIGINT, deg): circular mean hue, rounded
--   brightness_mean (DOUBLE): mean V
--   colorfulness_mean (DOUBLE): mean S
--   hue_mean_deg (DOUBLE, deg): circular mean hue over all pixels
--   hue_resultant (DOUBLE): length of the mean hue vector, 0 to 1
--   hue_chromatic_deg (DOUBLE, deg): circular mean hue over pixels with S > 0 and V > 0
--   chromatic_share (DOUBLE): share of pixels with S > 0 and V > 0
--   human_emotion (VARCHAR): majority of the human annotations; null unless agreed
--   human_outcome (VARCHAR): agreed, no_majority, no_specific_emotion or rejected
--   human_agree_count (BIGINT): people who chose the human label
--   human_annotator_count (BIGINT): people asked
--   vlm_emotion (VARCHAR): the labeller's choice
--   vlm_confidence (DOUBLE): its probability
--   vlm_model_id (VARCHAR): the labeller
--   vlm_model_revision (VARCHAR): revision of the labeller
--   emotion (VARCHAR): final label: human where there is one, otherwise the labeller's
--   polarity (VARCHAR): positive or negative
--   valence (DOUBLE): of the final label, 1 to 9
--   arousal (DOUBLE): of the final label, 1 to 9
--   label_source (VARCHAR): human or vlm
--   label_confidence (DOUBLE): human: share of annotators who agreed; vlm: probability
--   caption (VARCHAR): plain English
--   caption_model_id (VARCHAR): the describer
--   caption_model_revision (VARCHAR): revision of the describer
--   split (VARCHAR): benchmark, train or unused
--   group_id (VARCHAR): clips of one source, one film or near-duplicates share it
--   prompt (VARCHAR): prompt for video generation
--   first_frame_path (VARCHAR): PNG of the first frame (benchmark clips), below the home folder

create or replace view clip_catalogue as
select
    clip_id,
    domain,
    source_id,
    scene_index,
    start_s,
    end_s,
    duration_s,
    frame_count,
    fps,
    width_px,
    height_px,
    has_audio,
    sound_missing_s,
    thumbnail_path,
    source_path,
    source_sha256,
    external_id,
    title,
    film_id,
    film_position,
    intended_emotion,
    region,
    origin,
    origin_url,
    attribution,
    license,
    terms_url,
    colour_matrix,
    is_colour_tagged,
    audio_track_index,
    media_path,
    media_sha256,
    media_size_bytes,
    brightness,
    colorfulness,
    hue,
    brightness_mean,
    colorfulness_mean,
    hue_mean_deg,
    hue_resultant,
    hue_chromatic_deg,
    chromatic_share,
    human_emotion,
    human_outcome,
    human_agree_count,
    human_annotator_count,
    vlm_emotion,
    vlm_confidence,
    vlm_model_id,
    vlm_model_revision,
    emotion,
    polarity,
    valence,
    arousal,
    label_source,
    label_confidence,
    caption,
    caption_model_id,
    caption_model_revision,
    split,
    group_id,
    prompt,
    first_frame_path
from clip_facts;
