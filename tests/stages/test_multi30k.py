import gzip
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def multi30k(dataline, tmp_path_factory):
    folder = Path(os.environ["SEQLINE_DATA"]) / "multi30k"
    names = {"train": "train", "val": "valid", "test_2016_flickr": "test"}
    sources = [
        dataline.parallel(name, role) | {"source": f"{name}.de.gz", "target": f"{name}.en.gz"}
        for name, role in names.items()
    ]
    workspace = tmp_path_factory.mktemp("multi30k")
    corpora = {"folder": str(folder), "sources": sources}
    rules = {"rules": [{"kind": "empty"}, {"kind": "duplicate"}, {"kind": "leak"}]}
    return folder, dataline.run(workspace, corpora, ["ingest", "clean"], cleaning=rules)


def test_the_thousand_references_are_the_bytes_of_the_raw_file(dataline, multi30k):
    folder, out = multi30k
    rows = dataline.rows(out / "rows" / "test")
    raw = gzip.decompress((folder / "test_2016_flickr.en.gz").read_bytes())
    assert len(rows) == 1000
    assert "".join(reference + "\n" for row in rows for reference in row.references).encode() == raw
    assert [row.id for row in rows[:2]] == ["test_2016_flickr:1", "test_2016_flickr:2"]


def test_no_row_is_lost_and_the_one_leak_goes(dataline, multi30k):
    _, out = multi30k
    assert len(dataline.rows(out / "rows" / "train")) == 29_000
    kept = dataline.rows(out / "clean" / "train")
    assert len(kept) == 28_996  # three pairs stand twice
    assert "Drei Hunde spielen im Schnee." not in {row.source for row in kept}
