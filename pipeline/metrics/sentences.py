"""References by row → references by column, as sacreBLEU reads them."""

from collections.abc import Sequence
from typing import cast


def columns(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """[["a"], ["b", "c"]] → [["a", "b"], [None, "c"]]: rows may have different numbers of them.

    sacreBLEU takes None for "no further reference", which its annotations leave out.
    """
    assert all(references), "a row without a reference"
    most = max(map(len, references), default=1)
    found = [[row[k] if k < len(row) else None for row in references] for k in range(most)]
    return cast(list[list[str]], found)
