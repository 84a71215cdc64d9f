"""What a folder of shards holds.

    00000.arrow, 00001.arrow, …   examples: id, source ids (EOS at the end), target ids (bare)
    lengths.arrow                 ids in each source and each target, in the same order and blocks
    blocks.arrow                  ids of all sources and of all targets of each block
    manifest.json                 counts, checksums, digest of the piece models, languages of the
                                  targets; written last

Example row: `("train:3", [57, 212, 901, 3], [88, 64, 1022])`. A block is one Arrow record batch:
`block_rows` consecutive examples, fewer only at the end of a file. Sums per block are what planning
starts from; it reads the lengths of the blocks that it comes to.

`train-variants/1`, `2`, … beside `train/` hold the same examples in the same order, segmented
otherwise; they are there where `encoding.subword_regularisation` asks for them.
"""

from pathlib import Path

import pyarrow as pa

EXAMPLES = pa.schema(
    [("id", pa.string()), ("source", pa.list_(pa.int32())), ("target", pa.list_(pa.int32()))]
)
LENGTHS = pa.schema([("source", pa.int32()), ("target", pa.int32())])
LENGTHS_FILE = "lengths.arrow"
BLOCKS = pa.schema([("source", pa.int64()), ("target", pa.int64())])
BLOCKS_FILE = "blocks.arrow"


def variants_of(folder: Path) -> Path:
    """The folder of a split's variants, each a folder of shards named by its number."""
    return folder.with_name(f"{folder.name}-variants")


def shard_name(index: int) -> str:
    """The fixed name of a shard."""
    return f"{index:05d}.arrow"
