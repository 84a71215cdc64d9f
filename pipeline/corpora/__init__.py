"""Corpora: readers, one file a format. A reader turns what a folder holds into batches of rows."""

from pipeline.corpora.corpus import Corpus
from pipeline.corpora.jsonl import Jsonl
from pipeline.corpora.parallel import Parallel
from pipeline.corpora.pattern import Pattern
from pipeline.corpora.sample.reader import Sample
from pipeline.corpora.tsv import Tsv

READERS: dict[str, type[Corpus]] = {
    "jsonl": Jsonl,
    "parallel": Parallel,
    "pattern": Pattern,
    "sample": Sample,
    "tsv": Tsv,
}
