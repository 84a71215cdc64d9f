"""How far one gets on the sample without learning: copy, nearest neighbour, dictionary.

The nearest neighbour answers with the translation of the most similar sentence of train (tf-idf of
words, word 1–3-grams or character 2–5-grams, cosine). The dictionary translates word by word with
what IBM model 1 (Brown et al., 1993) finds most probable. A model must reach far more.

    python benchmarks/baselines.py [--pairs 20000] [--source de] [--target en] [--json FILE]
"""

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sacrebleu

from pipeline.corpora import READERS

TOKEN = re.compile(r"\w+(?:[.,:]\d+)*|[^\w\s]")
Pairs = list[tuple[str, str]]


def sample(source: str, target: str, pairs: int, seed: int) -> tuple[Pairs, Pairs]:
    """Train and test of the built-in corpus."""
    reader = READERS["sample"](
        name="sample", source_language=source, target_language=target, pairs=pairs, seed=seed
    )
    splits: dict[str, Pairs] = {"train": [], "valid": [], "test": []}
    for batch in reader.batches(Path()):
        for row in batch.select(["split", "source", "target"]).to_pylist():
            splits[row["split"]].append((row["source"], row["target"]))
    return splits["train"], splits["test"]


def words(text: str) -> list[str]:
    return TOKEN.findall(text)


def word_grams(text: str) -> Iterator[str]:
    tokens = words(text.lower())
    for length in (1, 2, 3):
        for first in range(len(tokens) - length + 1):
            yield " ".join(tokens[first : first + length])


def character_grams(text: str) -> Iterator[str]:
    text = f" {text.lower()} "
    for length in (2, 3, 4, 5):
        for first in range(len(text) - length + 1):
            yield text[first : first + length]


def nearest(
    train: Pairs, sources: Sequence[str], features: Callable[[str], Iterator[str] | list[str]]
) -> list[str]:
    """The target of the train sentence with the highest cosine of tf-idf; the first of equals."""
    counts = [Counter(features(source)) for source, _ in train]
    frequency = Counter(feature for count in counts for feature in count)
    idf = {feature: math.log(len(train) / n) for feature, n in frequency.items()}
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, count in enumerate(counts):
        weights = {feature: n * idf[feature] for feature, n in count.items()}
        norm = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        for feature, weight in weights.items():
            postings[feature].append((place, weight / norm))
    table = {feature: np.array(found) for feature, found in postings.items()}
    return [_best(train, Counter(features(source)), idf, table) for source in sources]


def _best(
    train: Pairs, count: Counter[str], idf: dict[str, float], table: dict[str, np.ndarray]
) -> str:
    scores = np.zeros(len(train))
    for feature, n in count.items():
        if feature in table:
            found = table[feature]
            scores[found[:, 0].astype(int)] += n * idf[feature] * found[:, 1]
    return train[int(scores.argmax())][1]


def dictionary(train: Pairs, rounds: int = 6) -> dict[str, str]:
    """Each source word's most probable translation, by expectation maximisation of IBM model 1."""
    numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
    sources, targets, positions = [], [], []
    position = 0
    for source, target in train:
        left = [numbers[0].setdefault(word, len(numbers[0])) for word in words(source)]
        for word in words(target):
            sources.extend(left)
            targets.extend([numbers[1].setdefault(word, len(numbers[1]))] * len(left))
            positions.extend([position] * len(left))
            position += 1
    keys = np.array(sources) * len(numbers[1]) + np.array(targets)
    entries, entry = np.unique(keys, return_inverse=True)
    probability = np.ones(len(entries))
    for _ in range(rounds):
        share = probability[entry]
        share /= np.bincount(positions, share)[positions]
        expected = np.bincount(entry, share)
        probability = (
            expected / np.bincount(entries // len(numbers[1]), expected)[entries // len(numbers[1])]
        )
    return _most_probable(entries, probability, numbers)


def _most_probable(
    entries: np.ndarray, probability: np.ndarray, numbers: tuple[dict[str, int], dict[str, int]]
) -> dict[str, str]:
    source_words, target_words = (list(side) for side in numbers)
    best: dict[str, str] = {}
    for place in np.argsort(-probability, kind="stable"):
        source, target = divmod(int(entries[place]), len(target_words))
        best.setdefault(source_words[source], target_words[target])
    return best


def word_by_word(table: dict[str, str], source: str) -> str:
    """The translation of each word, set as text: no space before marks, a capital first."""
    text = " ".join(table.get(word, word) for word in words(source))
    text = re.sub(r" ([.,?!%])", r"\1", text)
    return text[:1].upper() + text[1:]


def table(train: Pairs, test: Pairs) -> list[dict[str, object]]:
    """One row a baseline: BLEU, chrF, exact match."""
    sources = [source for source, _ in test]
    learnt = dictionary(train)
    outputs = {
        "copy": sources,
        "nearest neighbour, words": nearest(train, sources, lambda text: words(text.lower())),
        "nearest neighbour, word 1-3-grams": nearest(train, sources, word_grams),
        "nearest neighbour, character 2-5-grams": nearest(train, sources, character_grams),
        "dictionary (IBM model 1), word by word": [word_by_word(learnt, s) for s in sources],
    }
    return [
        scored(name, output, [target for _, target in test]) for name, output in outputs.items()
    ]


def scored(name: str, output: list[str], references: list[str]) -> dict[str, object]:
    same = sum(mine == theirs for mine, theirs in zip(output, references, strict=True))
    return {
        "baseline": name,
        "bleu": round(sacrebleu.corpus_bleu(output, [references]).score, 1),
        "chrf": round(sacrebleu.corpus_chrf(output, [references]).score, 1),
        "exact_match": round(same / len(references), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--source", default="de")
    parser.add_argument("--target", default="en")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = table(*sample(options.source, options.target, options.pairs, options.seed))
    print(f"{'baseline':40} {'BLEU':>6} {'chrF':>6} {'exact match':>12}")
    for row in rows:
        print(f"{row['baseline']:40} {row['bleu']:6} {row['chrf']:6} {row['exact_match']:12}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
