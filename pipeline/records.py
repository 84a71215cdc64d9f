"""The nouns of the line, in the order in which they come up. Read this file first.

Standard library only. A record is frozen; what travels between rooms, or into a file, is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class Row:
    """One example as it was read. Example: the third line of the Multi30k training files.

    `Row("train:3", "train", "train", "train:3", "Ein kleines Mädchen klettert…", "A little girl…",
    ("A little girl…",), "de", "en")`
    """

    id: str  # stable: corpus and position
    corpus: str  # the name in params.yaml
    split: Split
    group: str  # document, speaker, image: never torn apart by a split
    source: str
    target: str
    references: tuple[str, ...]  # what a hypothesis may equal; at least the target
    source_language: str
    target_language: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of a corpus' rows: `rows_in == kept + joined + sum(dropped.values())`."""

    stage: str
    corpus: str
    rows_in: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])  # rule → rows
    changed: Mapping[str, int] = field(
        default_factory=dict[str, int]
    )  # kept, but e.g. "source_cut"
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    joined: int = 0  # live on as references of a kept row

    def __post_init__(self) -> None:
        dropped = sum(self.dropped.values())
        found = (self.kept, self.joined, dropped)
        assert self.rows_in == sum(found), (self.corpus, self.rows_in, found)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An output of a search: `score` orders the n-best, `log_probability` is the model's sum.

    `formula` makes the score of s, that sum (of EOS, too), and n, the pieces; it says whether EOS
    counts. Example: "s / n, EOS counts in n".
    """

    text: str
    score: float
    log_probability: float
    pieces: int  # EOS included
    formula: str = ""  # "": of an older version


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value on one test set (or slice), with the signature that makes it comparable."""

    metric: str
    value: float
    rows: int
    signature: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A line of `state/RUNKEY/progress.jsonl`. After a resume, a step's last record counts."""

    step: int
    kind: Literal["train", "valid", "system", "event"]
    values: Mapping[str, float]  # train: loss, rate, gradient_norm, tokens, …; valid: loss, bleu
    note: str = ""  # events: "resumed", "stopped early", …
    time: float = 0.0  # seconds since the epoch; for people, never read by the engine


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison of the gate: challenger against champion on a test set, slice or ledger."""

    name: str  # "test_2016_flickr bleu", "test_2016_flickr length 20+ chrf", "drift clean train"
    champion: float
    challenger: float
    margin: float  # how much worse is still accepted
    low: (
        float  # 95 % interval of the difference, paired bootstrap; equal to `high` for plain limits
    )
    high: float
    passed: bool
    lower_is_better: bool = False  # an error rate, or a share that must not rise


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided about a challenger, with the numbers it decided on."""

    outcome: Literal["first", "passed", "refused", "same"]
    challenger: str  # version number
    champion: str  # version number, or "" when there is none
    test_digest: str  # ids, sources and references of all test sets
    settings_digest: str  # the gate's parameters
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A registered model version."""

    name: str
    number: str
    package_digest: str
    run_id: str
    source: str  # where its files are
    created: bool = False  # False: this content was registered before
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
