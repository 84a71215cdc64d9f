"""Which outputs are allowed, as an automaton over ids: from each state a few ids lead on.

Example: the outputs [5, 6] and [5, 8] are START -5-> 2, 2 -6-> 3, 2 -8-> 4, 3 -EOS-> FINISHED,
4 -EOS-> FINISHED. EOS is an id like any other, so an output is allowed when its ids and EOS lead to
FINISHED. A search asks with the number of ids that are left: what could not end in time is no way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from pipeline.batches.batch import EOS

FINISHED, START = 0, 1
FAR = 2**31  # ids to an end that cannot be reached


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """Edges in the order of (state, id); the last state is a dead end, without any edge."""

    vocabulary: int
    starts: Int[Tensor, " states_and_one"]  # where each state's edges begin
    ids: Int[Tensor, " edges"]
    targets: Int[Tensor, " edges"]
    distances: Int[Tensor, " states"]  # the fewest ids to the end, EOS counted

    @property
    def dead(self) -> int:
        """The state of what is not allowed."""
        return len(self.distances) - 1

    def to(self, device: torch.device) -> "Automaton":
        """The same automaton on another device."""
        parts = (self.starts, self.ids, self.targets, self.distances)
        return Automaton(self.vocabulary, *(part.to(device) for part in parts))

    def after(
        self, states: Int[Tensor, "sources beams"], ids: Int[Tensor, "sources beams"]
    ) -> Int[Tensor, "sources beams"]:
        """Where these ids lead from these states."""
        keys = self._of_edges() * self.vocabulary + self.ids
        wanted = states * self.vocabulary + ids
        place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
        return self.targets[place].where(keys[place] == wanted, self.dead)

    def allows(
        self, states: Int[Tensor, "sources beams"], left: Int[Tensor, " sources"]
    ) -> Bool[Tensor, "sources beams vocabulary"]:
        """The ids after which `left` more are enough to end."""
        rows = states.flatten()
        counts = self.starts[rows + 1] - self.starts[rows]
        row = torch.repeat_interleave(counts)  # of each edge that leaves one of the states
        edge = torch.arange(len(row), device=row.device) + (
            self.starts[rows] - counts.cumsum(0) + counts
        ).index_select(0, row)
        enough = left.repeat_interleave(states.shape[1]).index_select(0, row)
        fits = self.distances[self.targets[edge]] <= enough
        may = torch.zeros(len(rows), self.vocabulary, dtype=torch.bool, device=rows.device)
        may[row[fits], self.ids[edge[fits]]] = True
        return may.view(*states.shape, self.vocabulary)

    def _of_edges(self) -> Int[Tensor, " edges"]:
        """The state that each edge leaves."""
        return torch.repeat_interleave(self.starts.diff())


def automaton(edges: Sequence[Mapping[int, int]], vocabulary: int) -> Automaton:
    """From each state's ids and where they lead; state 0 is FINISHED and has none."""
    ordered = [sorted(row.items()) for row in edges] + [[]]
    counts = torch.tensor([0, *map(len, ordered)])
    flat = [edge for row in ordered for edge in row]
    ids, targets = torch.tensor(flat, dtype=torch.int64).reshape(-1, 2).unbind(1)
    distances = torch.tensor([*_distances(edges), FAR])
    return Automaton(vocabulary, counts.cumsum(0), ids.contiguous(), targets, distances)


def _distances(edges: Sequence[Mapping[int, int]]) -> list[int]:
    """Breadth first from the end, against the edges."""
    before: list[list[int]] = [[] for _ in edges]
    for state, row in enumerate(edges):
        for target in row.values():
            before[target].append(state)
    distances = [FAR] * len(edges)
    distances[FINISHED] = 0
    front = [FINISHED]
    for state in front:
        for former in before[state]:
            if distances[former] == FAR:
                distances[former] = distances[state] + 1
                front.append(former)
    return distances


def trie(outputs: Sequence[Sequence[int]], vocabulary: int) -> Automaton:
    """The automaton of a list of outputs, each without EOS."""
    edges: list[dict[int, int]] = [{}, {}]
    for output in outputs:
        state = START
        for id in output:
            if id not in edges[state]:
                edges[state][id] = len(edges)
                edges.append({})
            state = edges[state][id]
        edges[state][EOS] = FINISHED
    return automaton(edges, vocabulary)
