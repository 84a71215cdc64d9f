"""The model in use, for the commands that ask it something: the champion, or an ensemble."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from flows.opened import opened
from flows.release import outside
from flows.talk import warn
from pipeline.problems import Problem
from pipeline.records import Hypothesis
from pipeline.registry.server import Server
from pipeline.registry.versions import at, download, version


class Asked(Protocol):
    """One packaged model, or several as one."""

    def predict(self, texts: Sequence[str]) -> list[tuple[Hypothesis, ...]]:
        """The hypotheses of each text, best first, in the order given."""
        ...

    def score(self, texts: Sequence[str], targets: Sequence[str]) -> list[Hypothesis]:
        """Each target as a hypothesis of the text at its place."""
        ...


def predictor(ensemble: Sequence[str]) -> Asked:
    """The champion, else the challenger; or these versions together. stderr says which."""
    server = outside(opened()).server
    if not ensemble:
        return _champion(server)
    if len(ensemble) < 2:
        raise Problem(
            "an ensemble has two versions or more",
            value=ensemble[0],
            remedy="give --ensemble once for each version",
        )
    members = [version(server, number) for number in ensemble]
    folders = [download(server, one) for one in members]
    warn(f"ensemble: versions {', '.join(one.number for one in members)} of {server.model}")
    from pipeline.package.together import together

    return together(folders)


def _champion(server: Server) -> Asked:
    champion = at(server, "champion")
    found = champion or at(server, "challenger")
    if found is None:
        raise Problem(
            "no version is registered", where=f"registry of {server.model}", remedy="seqline run"
        )
    role = "champion" if champion else "challenger"
    warn(f"{role}: version {found.number} of {found.name}")
    from pipeline.package.load import load

    return load(download(server, found))


def lines(file: str | None) -> list[str]:
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
