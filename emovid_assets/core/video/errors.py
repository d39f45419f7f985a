"""What can be wrong with a media file, or with what a model says of one, as stable codes with a sentence each.

Belongs here: the codes that `processing_errors` shows. A code never changes its meaning.
"""

ADVICE: dict[str, str] = {
    "empty_file": "Fetch it again: it has no bytes.",
    "not_a_video": "No decoder recognises this file as a video. Check that it is not an error page or a text.",
    "no_video_stream": "The file has no video stream. Remove it, or fetch the version with pictures.",
    "truncated": "The file ends before its own index says it should. Fetch it again.",
    "no_initialisation": "The file is a segment of a stream (DASH, HLS) without the initialisation segment that says "
    "how to decode it. Put that before all its segments in one file, or fetch the whole film.",
    "corrupt_frames": "Some frames cannot be decoded. Fetch the file again or re-encode it.",
    "corrupt_container": "The file is damaged: nothing in it can be read as pictures. Fetch it again, as binary.",
    "encrypted": "The file is encrypted (DRM). Use an unprotected copy.",
    "unsupported_codec": "This build of FFmpeg cannot decode the codec. Re-encode the file, for example to H.264.",
    "single_image": "The file holds a single picture, not a video. Remove it from the library.",
    "vector_sticker": "The file is a drawing, not pictures. Render it to WebM, WebP or GIF and add that.",
    "too_large": "The file is above the limit that is named. Scale it down, cut it, or raise the limit.",
    "bad_name": "The file name is not valid UTF-8. Rename the file.",
    "vanished": "The file was removed while it was being read. Put it back and build again.",
    "replaced": "The file is not the one that was hashed: it was replaced or written to. Run `emovid build` again.",
    "unreadable": "The operating system would not read the file. Check its permissions.",
    "timeout": "Reading took longer than `media.timeout_s` allows. Check the file, or raise the limit.",
    "decoder_crashed": "The decoder process died on this file. Re-encode the file with a current FFmpeg.",
    "not_the_clip": "The clip cannot be written as it is. Re-encode the source, for example to H.264 in MP4.",
    "write_failed": "The result could not be written. Check free space and permissions of the home folder.",
    "manifest_missing_file": "The file is named, but it is not there. Add the file or remove the row.",
    "manifest_invalid": "The manifest cannot be read as written. Correct the cell or the header that is named.",
    "manifest_unknown_column": "Correct the name, or leave the column: all others count.",
    "no_answer": "The model's server gave no answer. The next build asks again; its log may say why.",
    "server_refused": "The model's server refused the request. Correct what it names; the next build asks again.",
    "unusable_answer": "The model's answer cannot be used. Try another prompt, or another model or way of asking it.",
    "no_usable_answer": "No answer of this run could be used: the server may be at fault. The next build asks again.",
    "bad_caption": "Read what the model writes with another `captioner.prompt`, or take another model.",
    "model_refused": "The model cannot take this clip. Try another `frame_side_px`, `precision` or model.",
    "model_memory": 'Take fewer or smaller frames (`frames`, `frame_side_px`), another model or `precision = "4bit"`.',
    "not_finite": 'The model gave values that are no numbers. Try dtype = "bfloat16" or "float32".',
    "constant": "Make the video again, with more steps, another guidance or another model.",
    "frame_count": "Ask for another number of `frames` (docs/generation.md), or fetch the video again.",
    "generator_refused": "The generator does not make this video. Correct the setting that is named.",
    "generator_unusable": "Correct what is named; the next build tries again.",
    "video_missing": "Add these videos, or leave them: all others count.",
    "video_extra": "Name it by the id of a clip of the benchmark, or in `videos.csv`, or remove it.",
    "video_loose": "Move it into a folder that has the name of its generator, such as library/generated/wan.",
    "video_duplicate": "Remove one of the two, or give it a seed of its own.",
    "video_ambiguous": "Name the file by the id of the clip, or name the clip in `videos.csv`.",
    "not_a_character": "Characters are PNG, WebP or JPEG pictures, and texts of the same name that describe them.",
    "character_twice": "Each of the two is a character of its own: rename one, or remove it.",
    "unexpected_error": "The step failed in a way nobody foresaw; the message holds the error. Please report it.",
}
"""What a person should do, per code."""

PASSING = frozenset(
    {
        *("vanished", "replaced", "unreadable", "write_failed"),
        *("no_answer", "server_refused", "no_usable_answer", "generator_unusable"),
    }
)
"""Codes that speak of the machine and not of the content: the same bytes are tried again in the next run."""


class MediaError(Exception):
    """A file that cannot be processed. `code` is a key of `ADVICE`; `detail` says what was seen."""

    def __init__(self, code: str, detail: str) -> None:
        # Both go to the base class so that the error survives the way back from a worker process.
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return sentence(self.code, self.detail)


def sentence(code: str, detail: str = "") -> str:
    """What was seen, then what to do."""
    return f"{detail.rstrip('.')}. {ADVICE[code]}" if detail else ADVICE[code]
