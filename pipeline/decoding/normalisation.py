"""How a finished hypothesis' log-probability becomes the score that orders the n-best.

"Length penalty" means something else in every toolkit, so each formula has its own name here.
s is the model's sum of log-probabilities (≤ 0, EOS included), n the hypothesis' ids, EOS counted
where `eos_counts`, and at least 1.

Each normalisation also gives the bound that lets a search stop: no continuation of a live
hypothesis can score more. A continuation has a sum of at most s, ends with its EOS, and has at
least one id more than the live hypothesis and at most `limit` ids.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Float, Int
from pydantic import Field, SerializeAsAny
from torch import Tensor

from pipeline.choose import chosen
from pipeline.settings import Settings

# Tensors of one shape, any shape: sums of log-probabilities in nats, and numbers of ids.
Sums = Float[Tensor, "*shape"]
Lengths = Int[Tensor, "*shape"]


class Normalisation(Settings, ABC):
    """From sum and ids to a score, and the bound of what a live hypothesis may still reach."""

    @abstractmethod
    def score(self, totals: Sums, ids: Lengths) -> Sums:
        """Scores of hypotheses of `ids` ids, EOS included (also where it does not count)."""

    @abstractmethod
    def formula(self) -> str:
        """The formula in words of this file, with these settings' numbers."""

    def bound(self, totals: Sums, shortest: Lengths, limits: Lengths) -> Sums:
        """At least the score of any hypothesis with a sum of at most `totals`.

        It has `shortest` to `limits` ids, EOS included. The score at the limit is that bound where
        s ≤ 0 is divided by what never falls with n; other formulas have a bound of their own.
        """
        return self.score(totals, limits)


class Sum(Normalisation):
    """Score = s: the log-probability itself. EOS's own log-probability is in it.

    Bound: s, since every further id adds at most 0.
    """

    def score(self, totals: Sums, ids: Lengths) -> Sums:
        """See the class."""
        return totals

    def formula(self) -> str:
        """See the class."""
        return "s, EOS counts in s"


class Mean(Normalisation):
    """Score = s / n.

    Bound: s / n at the limit: s ≤ 0, so the largest n gives the most.
    """

    eos_counts: bool = True
    """Whether EOS is one of the n ids."""

    def score(self, totals: Sums, ids: Lengths) -> Sums:
        """See the class."""
        return totals / _counted(ids, self.eos_counts)

    def formula(self) -> str:
        """See the class."""
        return f"s / n, {_eos(self.eos_counts)}"


class GNMT(Normalisation):
    """Score = s / ((5 + n) / 6)^alpha (Wu et al. 2016, arXiv 1609.08144, equation 14).

    Bound: the same at the limit: s ≤ 0 and the divisor never falls with n.
    """

    alpha: float = Field(default=0.6, ge=0)
    """Exponent; 0 is the plain sum."""
    eos_counts: bool = True
    """Whether EOS is one of the n ids."""

    def score(self, totals: Sums, ids: Lengths) -> Sums:
        """See the class."""
        return totals / ((5 + _counted(ids, self.eos_counts)) / 6) ** self.alpha

    def formula(self) -> str:
        """See the class."""
        return f"s / ((5 + n) / 6)^{self.alpha}, {_eos(self.eos_counts)}"


class Marian(Normalisation):
    """Score = (s - word_penalty · n) / n^alpha: Marian's `--normalize alpha --word-penalty`.

    Bound: s / limit^alpha - word_penalty · n^(1 - alpha) at whichever end of the possible lengths
    gives more: each of the two terms is at most that, the first since s ≤ 0 and n^alpha never
    falls, the second since it is monotone in n.
    """

    alpha: float = Field(default=1.0, ge=0)
    """Exponent; Marian's `--normalize` without a value is 1, and 0 normalises nothing."""
    word_penalty: float = 0.0
    """Subtracted for each id before dividing, in nats; negative: a reward."""
    eos_counts: bool = True
    """Whether EOS is one of the n ids (it is in Marian)."""

    def score(self, totals: Sums, ids: Lengths) -> Sums:
        """See the class."""
        n = _counted(ids, self.eos_counts)
        return (totals - self.word_penalty * n) / n**self.alpha

    def formula(self) -> str:
        """See the class."""
        return f"(s - {self.word_penalty} n) / n^{self.alpha}, {_eos(self.eos_counts)}"

    def bound(self, totals: Sums, shortest: Lengths, limits: Lengths) -> Sums:
        """See the class."""
        least, most = (_counted(ids, self.eos_counts) for ids in (shortest, limits))
        ends = [-self.word_penalty * n ** (1 - self.alpha) for n in (least, most)]
        return totals / most**self.alpha + ends[0].maximum(ends[1])


class WordReward(Normalisation):
    """Score = s + reward · n (the word reward of He et al. 2016, "Improved Neural Machine
    Translation with SMT Features").

    Bound: s + reward · n at the limit for a positive reward, at the shortest for a negative one.
    """

    reward: float = 0.2
    """Added for each id, in nats."""
    eos_counts: bool = True
    """Whether EOS is one of the n ids."""

    def score(self, totals: Sums, ids: Lengths) -> Sums:
        """See the class."""
        return totals + self.reward * _counted(ids, self.eos_counts)

    def formula(self) -> str:
        """See the class."""
        return f"s + {self.reward} n, {_eos(self.eos_counts)}"

    def bound(self, totals: Sums, shortest: Lengths, limits: Lengths) -> Sums:
        """See the class."""
        return self.score(totals, limits if self.reward > 0 else shortest)


def _counted(ids: Lengths, eos_counts: bool) -> Sums:
    """n of the formulas: at least 1, so that an empty hypothesis has a score too."""
    return (ids if eos_counts else ids - 1).clamp(min=1).double()


def _eos(eos_counts: bool) -> str:
    return "EOS counts in n" if eos_counts else "EOS does not count in n"


def _table() -> Mapping[str, type[Normalisation]]:
    """The room's table, which is complete only after this module."""
    from pipeline.decoding import NORMALISATIONS

    return NORMALISATIONS


AnyNormalisation = Annotated[SerializeAsAny[Normalisation], chosen(_table)]


@dataclass(frozen=True, slots=True)
class Formula:
    """How hypotheses are scored: a normalisation, and what their coverage costs."""

    normalisation: Normalisation
    coverage_penalty: float = 0.0

    def __str__(self) -> str:
        """Example: `s / n, EOS counts in n; + 0.2 coverage`."""
        coverage = f"; + {self.coverage_penalty} coverage" if self.coverage_penalty else ""
        return f"{self.normalisation.formula()}{coverage}"
