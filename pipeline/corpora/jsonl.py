"""JSON Lines: one object a line, several references allowed.

Example (WebNLG): `{"id": "1", "source": "Aarhus | leader | Jacob Bundsgaard", "target": "The leader
of Aarhus is Jacob Bundsgaard.", "references": ["Jacob Bundsgaard leads Aarhus."]}`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from pipeline.arrow import RecordBatch
from pipeline.choose import nearest
from pipeline.corpora.filed import PARTS, FileCorpus
from pipeline.corpora.lines import read_lines
from pipeline.problems import Problem


class Jsonl(FileCorpus):
    """One file; fields are named by their keys, other keys are left alone."""

    file: Path
    """The file, relative to corpora.folder; plain, .gz, .zst, .xz or .bz2."""
    source: str = "source"
    """Key of the source, a string."""
    target: str = "target"
    """Key of the target, a string."""
    references: str | None = None
    """Key of further references, a string or a list of strings; null: the target alone."""
    group: str | None = None
    """Key of the group (document, speaker): a string, a number, or null in a row that has none.
    null: no row has one."""

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The one file."""
        return (folder / self.file,)

    def parts(self, folder: Path) -> Iterator[RecordBatch]:
        """Rows of the file."""
        path, number = folder / self.file, 1
        for lines in read_lines(path, self.line_end):
            rows = [
                self._row(line, f"{path}, line {place}")
                for place, line in enumerate(lines.to_pylist(), number)
            ]
            columns = zip(*rows, strict=True)
            yield pa.record_batch(
                [pa.array(c, f.type) for c, f in zip(columns, PARTS, strict=True)], schema=PARTS
            )
            number += len(lines)

    def _row(self, line: str, where: str) -> tuple[str, str, list[str], str | None]:
        value = _object(line, where)
        target = _text(value, self.target, where)
        further = [] if self.references is None else _texts(value, self.references, where)
        group = None if self.group is None else _group(value, self.group, where)
        return _text(value, self.source, where), target, [target, *further], group


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise _malformed(f"no JSON at column {error.colno}: {error.msg}", where, line) from None
    except (ValueError, RecursionError) as error:  # an integer too long, too many brackets
        raise _malformed(f"no JSON that can be read: {error}", where, line) from None
    if not isinstance(value, dict):
        raise _malformed("expected a JSON object", where, line)
    return cast(dict[str, Any], value)


def _field(value: dict[str, Any], key: str, where: str) -> Any:
    if key not in value:
        raise Problem(f"malformed line: no key '{key}'", where=where, remedy=nearest(key, value))
    return value[key]


def _text(value: dict[str, Any], key: str, where: str) -> str:
    text = _field(value, key, where)
    if not isinstance(text, str):
        raise _malformed(f"'{key}' is no string", where, text)
    return _sound(text, key, where)


def _sound(text: str, key: str, where: str) -> str:
    """The text, unless an escape in it spells half a surrogate pair, which is none."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _malformed(f"'{key}' is no valid text: {error}", where, ascii(text)) from None
    return text


def _group(value: dict[str, Any], key: str, where: str) -> str | None:
    group = _field(value, key, where)
    if isinstance(group, bool) or not isinstance(group, str | int | float | None):
        raise _malformed(f"'{key}' is no string or number", where, group)
    return None if group is None else _sound(str(group), key, where)


def _texts(value: dict[str, Any], key: str, where: str) -> list[str]:
    texts = _field(value, key, where)
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not all(isinstance(t, str) for t in cast(list[Any], texts)):
        raise _malformed(f"'{key}' is no list of strings", where, texts)
    return [_sound(text, key, where) for text in cast(list[str], texts)]


def _malformed(what: str, where: str, value: object) -> Problem:
    remedy = "correct the line, or the corpus's keys in params.yaml"
    return Problem(f"malformed line: {what}", where=where, value=value, remedy=remedy)
