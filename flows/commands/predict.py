"""`seqline predict`: translate with the champion, else the challenger; stderr says with which."""

import sys
from pathlib import Path

from flows.opened import opened
from flows.release import outside
from flows.talk import warn
from pipeline.problems import Problem
from pipeline.registry.versions import at, download


def predict(text: str | None, file: str | None) -> None:
    """One line out for each line in; nothing but these on stdout."""
    if text is not None and file is not None:
        raise Problem("give a text or --file, not both", value=text)
    lines = [text] if text is not None else _lines(file)
    server = outside(opened()).server
    champion = at(server, "champion")
    version = champion or at(server, "challenger")
    if version is None:
        raise Problem(
            "no version is registered", where=f"registry of {server.model}", remedy="seqline run"
        )
    role = "champion" if champion else "challenger"
    warn(f"{role}: version {version.number} of {version.name}")
    from pipeline.package.load import load

    for hypotheses in load(download(server, version)).predict(lines):
        print(hypotheses[0].text)


def _lines(file: str | None) -> list[str]:
    """The lines of a UTF-8 file or of standard input."""
    where = file or "standard input"
    try:
        content = Path(file).read_bytes() if file else sys.stdin.buffer.read()
        return content.decode().removesuffix("\n").split("\n") if content else []
    except OSError as error:
        raise Problem(f"cannot read: {error.strerror}", where=where) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1  # pyright: ignore[reportPossiblyUnboundVariable]
        raise Problem("not UTF-8", where=f"{where}, line {line}") from None
