"""What a hypothesis may say next, whatever the model thinks.

Lengths, a prefix, banned ids, n-grams that would come twice, an automaton of what is allowed.
Constraints only strike candidates out. They never renormalise, so a score is always the model's.

In order of strength: a prefix and EOS at the limit are forced; the automaton strikes out what is
not allowed, or could not end in time; a repeated n-gram is struck out, and EOS below the shortest
length, but each of these two only where something else is left to say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.batches.batch import BOS, EOS, PAD, UNKNOWN, Batch
from pipeline.decoding.automata import FAR, START, Automaton
from pipeline.problems import Problem

BANNED = (PAD, UNKNOWN, BOS)  # never taken freely; a forced prefix may hold them
FREE = -1


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many ids, EOS counted, a source of s ids (with its EOS) allows and asks for."""

    most_ratio: float  # at most floor(most_ratio · s) + most_extra
    most_extra: int
    least_ratio: float = 0.0
    least_extra: int = 0

    def longest(self, source: int) -> int:
        """At least one: EOS."""
        return max(1, math.floor(self.most_ratio * source) + self.most_extra)

    def shortest(self, source: int) -> int:
        """0 or 1: any."""
        return math.floor(self.least_ratio * source) + self.least_extra


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """Of each source: how many ids a hypothesis may have, and with which it must begin.

    `states` belongs to hypotheses: where each is in the automaton.
    """

    limits: Int[Tensor, " sources"]  # EOS counted
    prefixes: Int[Tensor, "sources longest"]  # FREE behind each one's end
    least: Int[Tensor, " sources"] | None = None  # EOS counted; None: EOS at any time
    no_repeat_ngram: int | None = None
    allowed: Automaton | None = None
    states: Int[Tensor, "sources beams"] | None = None

    def forced(self, step: int) -> Int[Tensor, " sources"] | None:
        """The only id allowed as number `step` (from 0), FREE where any is; None: all are free."""
        width = self.prefixes.shape[1]
        last = self.limits == step + 1
        if step >= width:
            return torch.where(last, EOS, FREE) if bool(last.any()) else None
        return torch.where(last, EOS, self.prefixes[:, step])

    def strike(
        self,
        log_probs: Float[Tensor, "sources beams vocabulary"],
        history: Int[Tensor, "sources beams ids"],
        step: int,
        forced: Int[Tensor, " sources"] | None,
    ) -> Float[Tensor, "sources beams vocabulary"]:
        """-inf for each id that may not be number `step`; where one is forced, nothing changes."""
        if self.no_repeat_ngram is None and self.allowed is None:
            return self._later(log_probs, step, forced)
        may = self._of_automaton(log_probs, step)
        if self.no_repeat_ngram is not None:
            may = _where_something_is_left(_unrepeated(may, history, self.no_repeat_ngram), may)
        if self.least is not None:
            later = may.clone()
            later[:, :, EOS] &= (self.least <= step + 1)[:, None]
            may = _where_something_is_left(later, may)
        if forced is not None:
            may = may | (forced != FREE)[:, None, None]
        return log_probs.masked_fill(~may, -math.inf)

    def _later(
        self, log_probs: Tensor, step: int, forced: Tensor | None
    ) -> Float[Tensor, "sources beams vocabulary"]:
        """EOS alone is struck out, below the shortest length; any id above it is left to say."""
        if self.least is None or log_probs.shape[2] == EOS + 1:
            return log_probs
        early = self.least > step + 1
        early = early if forced is None else early & (forced == FREE)
        if not bool(early.any()):
            return log_probs
        later = log_probs.clone()
        later[:, :, EOS].masked_fill_(early[:, None], -math.inf)
        return later

    def _of_automaton(
        self, log_probs: Tensor, step: int
    ) -> Bool[Tensor, "sources beams vocabulary"]:
        if self.allowed is not None and self.states is not None:
            return self.allowed.allows(self.states, self.limits - step - 1)
        may = torch.ones_like(log_probs, dtype=torch.bool)
        may[:, :, list(BANNED)] = False
        return may

    def follow(
        self, beams: Int[Tensor, "sources places"], ids: Int[Tensor, "sources places"]
    ) -> "Constraints":
        """After these ids were said by the hypotheses that were at these beams."""
        if self.allowed is None or self.states is None:
            return self
        states = self.allowed.after(self.states.take_along_dim(beams, 1), ids)
        return replace(self, states=states)

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept places"]
    ) -> "Constraints":
        """Those of these sources (None: of all), and of these hypotheses of each."""
        every = slice(None) if sources is None else sources
        return Constraints(
            limits=self.limits[every],
            prefixes=self.prefixes[every],
            least=None if self.least is None else self.least[every],
            no_repeat_ngram=self.no_repeat_ngram,
            allowed=self.allowed,
            states=None if self.states is None else self.states[every].take_along_dim(beams, 1),
        )


def constrain(
    batch: Batch,
    vocabulary: int,
    lengths: Lengths,
    *,
    no_repeat_ngram: int | None = None,
    prefixes: Sequence[Sequence[int]] | None = None,
    allowed: Automaton | None = None,
) -> Constraints:
    """The constraints of a batch: lengths from the sources' own, never their neighbours'.

    A limit is never below a prefix and its EOS, nor below the shortest allowed output that begins
    with it; the shortest length is never above the limit.
    """
    starts = [()] * batch.count if prefixes is None else [tuple(prefix) for prefix in prefixes]
    if len(starts) != batch.count:
        raise Problem(f"{batch.count} sources need as many prefixes", value=len(starts))
    _check(starts, vocabulary, allowed)
    device = batch.source.values.device
    table = _table(starts, device)
    needed = torch.tensor([len(start) + 1 for start in starts], dtype=torch.int64, device=device)
    states = None
    if allowed is not None:
        allowed = allowed.to(device)
        states = torch.full((batch.count, 1), START, dtype=torch.int64, device=device)
        needed = needed - 1 + _to_the_end(allowed, states, table)
    longest = torch.tensor([lengths.longest(one) for one in batch.source.lengths], device=device)
    shortest = torch.tensor([lengths.shortest(one) for one in batch.source.lengths], device=device)
    limits = longest.to(torch.int64).maximum(needed)
    least = shortest.minimum(limits) if lengths.least_ratio or lengths.least_extra else None
    return Constraints(limits, table, least, no_repeat_ngram, allowed, states)


def _check(prefixes: Sequence[Sequence[int]], vocabulary: int, allowed: Automaton | None) -> None:
    for number, prefix in enumerate(prefixes):
        if any(not 0 <= id < vocabulary or id == EOS for id in prefix):
            raise Problem(
                f"a forced prefix holds ids from 0 to {vocabulary - 1}, and no EOS ({EOS})",
                where=f"prefix of source {number}",
                value=list(prefix),
            )
    if allowed is not None and allowed.vocabulary != vocabulary:
        raise Problem(
            "what is allowed was spelled in another vocabulary than the model's",
            where="decoding.allowed",
            value=f"{allowed.vocabulary} ids, the model has {vocabulary}",
            remedy="use the pieces that the model was trained with",
        )


def _table(starts: Sequence[Sequence[int]], device: torch.device) -> Int[Tensor, "sources longest"]:
    """Prefixes side by side, FREE behind each one's end."""
    width = max(map(len, starts), default=0)
    rows = [[*start, *[FREE] * (width - len(start))] for start in starts]
    return torch.tensor(rows, dtype=torch.int64, device=device).reshape(len(starts), width)


def _to_the_end(
    allowed: Automaton, states: Int[Tensor, "sources 1"], prefixes: Int[Tensor, "sources longest"]
) -> Int[Tensor, " sources"]:
    """The fewest ids, EOS counted, of an allowed output behind each source's prefix."""
    for ids in prefixes.unbind(1):
        free = (ids == FREE)[:, None]
        states = states.where(free, allowed.after(states, ids.clamp(min=0)[:, None]))
    left = allowed.distances[states[:, 0]]
    for number, (ids, away) in enumerate(zip(prefixes.tolist(), left.tolist(), strict=True)):
        if away >= FAR:
            raise Problem(
                "no allowed output begins with this prefix",
                where=f"prefix of source {number}",
                value=[id for id in ids if id != FREE],
                remedy="allow one in decoding.allowed, or take another prefix",
            )
    return left


def _unrepeated(
    may: Bool[Tensor, "sources beams vocabulary"], history: Int[Tensor, "sources beams ids"], n: int
) -> Bool[Tensor, "sources beams vocabulary"]:
    """Without the ids that would make the last n of a hypothesis an n-gram that it said before."""
    if history.shape[2] < n:
        return may
    said = history.unfold(2, n, 1)  # [sources, beams, n-grams, n]
    tail = history[:, :, None, history.shape[2] - n + 1 :]
    again = (said[..., :-1] == tail).all(3)
    return may.scatter(2, said[..., -1].where(again, PAD), False)


def _where_something_is_left(
    fewer: Bool[Tensor, "sources beams vocabulary"], more: Bool[Tensor, "sources beams vocabulary"]
) -> Bool[Tensor, "sources beams vocabulary"]:
    return torch.where(fewer.any(2, keepdim=True), fewer, more)
