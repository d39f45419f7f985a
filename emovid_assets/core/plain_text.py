"""Text of strangers as something that is read and does nothing: the one home of what is escaped where.

Titles, captions, subtitles, names of files and of people, messages that quote them: all come from outside. Belongs
here: the rule for each place where such text is shown. Does not belong here: HTML and SVG, which are escaped by
construction (`drawing.markup`), and keys (`core.redaction`).
"""

import re
import unicodedata

ELLIPSIS = "…"

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")
"""What moves the cursor, colours, or turns the direction of what stands behind it, and half characters."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What lays the direction of the characters behind it down, also against their own."""
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f\ud800-\udfff]")
"""What nobody sees: control characters, blanks of no width, and tags by which words can be hidden from people."""

_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
_MEANS_NOTHING_INSIDE = frozenset(" ,.;%/=()'?+")
_LINK = re.compile(r"(?i)(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=@)")
_JOINER = "\u2060"
"""Of no width: what is shown looks the same and is no address."""

_BRACKETS = str.maketrans(
    {
        **dict.fromkeys("<[{＜﹤［｛⟨〈", "("),
        **dict.fromkeys(">]}＞﹥］｝⟩〉", ")"),
        **dict.fromkeys("|｜¦￨", "/"),
    }
)
_QUOTATION_MARKS = str.maketrans(dict.fromkeys('"“”„«»＂', "'"))


def one_line(text: object) -> str:
    """Without breaks of lines and without blanks at the ends or more than one at a time."""
    return " ".join(str(text).split())


def composed(text: object) -> str:
    """In normal form C: macOS writes `é` as two characters, most others as one. Half characters are replaced."""
    return unicodedata.normalize("NFC", str(text).encode("utf-8", "replace").decode("utf-8"))


def bare(text: object) -> str:
    """A name as it is compared: one line in normal form C, without marks that are copied along and that nobody sees."""
    return one_line(_UNSEEN.sub("", _NO_TEXT.sub("", one_line(composed(text)))))


def cut(text: str, length: int) -> str:
    """At most so many characters, the last of which says that there were more."""
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def cut_at_word(text: str, length: int) -> str:
    """As `cut`, but at a blank where there is one in the second half: text without blanks is cut within."""
    if len(text) <= length:
        return text
    blank = text.rfind(" ", 0, length)
    return text[: blank if blank >= length // 2 else length - 1].rstrip() + ELLIPSIS


def for_terminal(text: object) -> str:
    """What a terminal shows and does not obey; breaks of lines and tabs stay. `\\x1b` stands for the escape character,
    as Python writes it."""
    return _UNSEEN.sub(lambda found: _escaped(found[0]), str(text))


def quoted(text: object, length: int = 80) -> str:
    """As it is quoted in a message: one line, nothing unseen in it."""
    escaped = _UNSEEN.sub(lambda found: _escaped(found[0]) if found[0] not in "\n\t\r" else " ", str(text))
    return cut(escaped, length)


def _escaped(character: str) -> str:
    return character if character in "\n\t" else ascii(character)[1:-1]


def straight(text: str) -> str:
    """As a browser shows it in the order in which it is written: `\\u202eevil.mp4` would be read as `4pm.live`.

    Marks that Hebrew and Arabic are written with stay: they turn nothing that has a direction of its own.
    """
    return _TURNS.sub(lambda found: _escaped(found[0]), text)


def for_markdown(text: object) -> str:
    """Text that Markdown shows as it stands, in a paragraph, a list or a cell of a table.

    A character that could mean something is written as an entity, which is text wherever it stands; addresses, which
    GitHub's Markdown makes links of by itself, have a joiner of no width in them.
    """
    return _MARKUP.sub(_entity, _LINK.sub(_JOINER, straight(_seen(text))))


def _entity(found: re.Match[str]) -> str:
    character, line, place = found[0], found.string, found.start()
    is_inside = 0 < place < len(line) - 1
    # `1.` and `1)` begin a list.
    if is_inside and character in _MEANS_NOTHING_INSIDE and not line[:place].isdigit():
        return character
    is_within_word = is_inside and line[place - 1].isalnum() and line[place + 1].isalnum()
    return character if character in "_-" and is_within_word else f"&#{ord(character)};"


def for_prompt(text: object, length: int | None = None) -> str:
    """Text in a prompt to a model: one line, and nothing that its tokenizer could take for a mark of its own.

    `<|im_start|>`, `<image>`, `[INST]`, `{options}`: whatever marks something stands in brackets that are not round, or
    between bars. So brackets are made round and bars strokes; of what people say, nothing is lost. Entities of HTML are
    to be resolved before. Cut to `length` characters.
    """
    line = _seen(text).translate(_BRACKETS)
    return line if length is None else cut_at_word(line, length)


LONGEST_QUOTATION = 400
"""Characters of a stranger's text in a prompt: what is said in a clip of half a minute of quick talk."""


def quoted_in_prompt(text: object) -> str:
    """As `for_prompt`, between quotation marks of which the text can close none, cut to `LONGEST_QUOTATION`."""
    return f'"{for_prompt(text, LONGEST_QUOTATION).translate(_QUOTATION_MARKS)}"'


def _seen(text: object) -> str:
    """One line without what nobody sees."""
    return one_line(_NO_TEXT.sub("", one_line(text)))
