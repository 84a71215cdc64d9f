"""The corpora of a run: their files are there, and none is both trained on and tested on."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from flows.graph import Graph
from pipeline.corpora.filed import FileCorpus
from pipeline.corpora.selection import Corpora
from pipeline.problems import Problem
from pipeline.settings import Settings, load

PARAMS = Path("params.yaml")


class Sections(Settings):
    """What this looks at in params.yaml."""

    corpora: Corpora


def check_corpora(graph: Graph) -> None:
    """The corpora's files are there, and none is both trained on and tested on."""
    corpora = load(Sections, PARAMS).corpora
    corpora.check_files()
    digests = {
        f"{item.path}/{name}": digest
        for node in graph.nodes
        for item in node.inputs
        for name, digest in item.files.items()
    }
    trained = dict(_files(corpora, "train", digests))
    for digest, (name, path) in _files(corpora, "test", digests):
        if digest in trained:
            raise Problem(
                f"corpus '{name}' tests on what corpus '{trained[digest][0]}' trains on",
                where=str(path),
                remedy="name another file in params.yaml, corpora.sources",
            )


def _files(
    corpora: Corpora, role: str, digests: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, Path]]]:
    """Digest, corpus and path of the files with this role."""
    for source in corpora.sources:
        if isinstance(source, FileCorpus) and source.role == role:
            for path in source.files(corpora.folder):
                yield digests.get(path.as_posix(), path.as_posix()), (source.name, path)
