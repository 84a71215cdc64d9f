"""The champion's outputs on today's test rows: kept from its own evaluation, or decoded anew.

A version keeps its hypotheses of a test set below the digest of that set's rows. Where today's rows
have another digest, the champion's package is loaded and decodes them; the result is kept too.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.files import canonical_json
from pipeline.outputs import Output, read_outputs, rows_digest
from pipeline.package.load import load
from pipeline.records import Version
from pipeline.registry.answers import answered
from pipeline.registry.server import Server
from pipeline.registry.storage import fetch, names, upload_texts
from pipeline.registry.versions import download, hypotheses_folder


@answered
def former_outputs(
    server: Server, champion: Version, test_sets: Mapping[str, list[Output]]
) -> dict[str, list[Output]]:
    """Test set → the champion's outputs on the very rows that are given."""
    found = {name: _kept(server, champion, name, rows) for name, rows in test_sets.items()}
    missing = [name for name, rows in found.items() if rows is None]
    if missing:
        predictor = load(download(server, champion))
        for name in missing:
            texts = predictor.predict([row.source for row in test_sets[name]])
            pairs = zip(test_sets[name], texts, strict=True)
            found[name] = [replace(row, hypotheses=hypotheses) for row, hypotheses in pairs]
            _keep(server, champion, name, found[name] or [])
    return {name: rows for name, rows in found.items() if rows is not None}


def _kept(
    server: Server, version: Version, test_set: str, rows: list[Output]
) -> list[Output] | None:
    place = f"{version.tags['place']}/{hypotheses_folder(rows_digest(rows))}"
    if f"{test_set}.jsonl" not in names(server, version.run_id, place):
        return None
    with fetch(server, version.run_id, place) as folder:
        return read_outputs(folder)[test_set]


def _keep(server: Server, version: Version, test_set: str, rows: list[Output]) -> None:
    text = "".join(canonical_json(row) + "\n" for row in rows)
    place = f"{version.tags['place']}/{hypotheses_folder(rows_digest(rows))}"
    upload_texts(server, version.run_id, {f"{test_set}.jsonl": text}, place)
