"""The data stages at scale: peak anonymous memory and pairs per second, by number of pairs.

    python benchmarks/data.py [--pairs 250000 1000000] [--repeats 3] [--folder FOLDER] [--json FILE]

Writes distinct German-like and English-like pairs (made words of a Zipf vocabulary, sentences of 3
to 40 words), gzipped, and runs each stage as the graph would, in a process tree of its own. Memory
is the largest sum of RssAnon over that tree, looked at every 10 ms. A stage runs several times: the
largest memory counts, and the shortest time. machine.yaml is the project's. Bars: under 1.5 GiB, at
most 10 % more for 1,000,000 pairs than for 250,000; aim: ingest and clean together 100,000 pairs/s
on two cores.
"""

import argparse
import gzip
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from memory import anonymous, tree
from tables import add_json, write_rows

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("ingest", "clean", "pieces", "encode")
MEASURED = ("ingest", "clean", "encode")
HELD_OUT = 1_000
MIB = 2**20


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        rows = [
            row
            for pairs in arguments.pairs
            for row in measure(Path(folder) / str(pairs), pairs, arguments.repeats)
        ]
    print_table(rows, arguments.pairs)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[250_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3, help="runs of a stage; pieces: one")
    parser.add_argument("--folder", type=Path, help="where to work; default: the temporary folder")
    add_json(parser)
    return parser.parse_args()


def measure(workspace: Path, pairs: int, repeats: int) -> Iterator[dict[str, Any]]:
    corpora = workspace / "data" / "corpora" / "made"
    corpora.mkdir(parents=True)
    counts = {"valid": HELD_OUT, "test": HELD_OUT, "train": pairs}
    for seed, (role, count) in enumerate(counts.items()):
        for language, words in (("de", vocabulary("de")), ("en", vocabulary("en"))):
            write_text(corpora / f"{role}.{language}.gz", words, count, seed)
    write_params(workspace, counts)
    for stage in STAGES:
        runs = [run(workspace, stage) for _ in range(repeats if stage in MEASURED else 1)]
        seconds, cpu_seconds, _ = min(runs)
        yield {
            "stage": stage,
            "pairs": pairs,
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu_seconds, 2),
            "pairs_per_second": round((pairs + 2 * HELD_OUT) / seconds),
            "peak_rss_anon_mib": round(max(peak for *_, peak in runs) / MIB, 1),
        }
    kept = json.loads((workspace / "artifacts/ledgers/clean.json").read_text())["ledgers"][0]
    print(f"{pairs} pairs: {kept['kept']} kept, dropped {kept['dropped']}", file=sys.stderr)
    shutil.rmtree(workspace)


def vocabulary(language: str, words: int = 60_000) -> list[str]:
    """Distinct words of 1 to 4 syllables; shorter ones come first, as in a language."""
    draw = np.random.default_rng([len(language), ord(language[0])])
    starts = ["", *"bdfghklmnprstwz", "sch", "st", "br", "th", "pl"]
    cores = ["a", "e", "i", "o", "u", "ei", "au"]
    cores += ["ä", "ö", "ü", "ie"] if language == "de" else ["ea", "oo", "ou", "y"]
    ends = ["", "n", "r", "s", "t", "l", "nd", "ch" if language == "de" else "ck"]
    syllables = [a + b + c for a in starts for b in cores for c in ends]
    found: dict[str, None] = {}
    while len(found) < words:
        length = 1 + sum(len(found) >= bound for bound in (500, 8_000, 30_000))
        found["".join(syllables[i] for i in draw.integers(len(syllables), size=length))] = None
    return list(found)


def write_text(path: Path, words: list[str], count: int, seed: int) -> None:
    draw = np.random.default_rng([seed, len(words[-1])])
    weights = 1 / (np.arange(len(words)) + 10.0)
    cumulated = np.cumsum(weights / weights.sum())
    # Both sides of a pair have as many words.
    lengths = np.random.default_rng(seed).lognormal(2.4, 0.45, count)
    lengths = np.clip(lengths.astype(int), 3, 40)
    with gzip.open(path, "wt", encoding="utf-8", newline="\n", compresslevel=1) as file:
        for first in range(0, count, 10_000):
            chunk = lengths[first : first + 10_000]
            drawn = iter(np.searchsorted(cumulated, draw.random(chunk.sum())).tolist())
            for length in chunk.tolist():
                text = " ".join(words[min(next(drawn), len(words) - 1)] for _ in range(length))
                file.write(text.capitalize() + ".\n")


def write_params(workspace: Path, counts: dict[str, int]) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    languages = {"source_language": "de", "target_language": "en"}
    params["corpora"] = {
        "folder": "data/corpora/made",
        "sources": [
            {"name": role, "role": role, "format": "parallel", **languages}
            | {"source": f"{role}.de.gz", "target": f"{role}.en.gz"}
            for role in counts
        ],
    }
    params["pieces"] = {"kind": "unigram", "vocabulary": 8_000, "sample_rows": 20_000}
    (workspace / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    for name in ("dvc.yaml", "machine.yaml"):
        shutil.copy(ROOT / name, workspace / name)


def run(workspace: Path, stage: str) -> tuple[float, float, int]:
    """Seconds, seconds of all its processes together, and peak RssAnon in bytes of one stage."""
    start, used = time.perf_counter(), cpu_seconds()
    with subprocess.Popen([sys.executable, "-m", "pipeline", stage], cwd=workspace) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(anonymous, tree(process.pid))))
            time.sleep(0.01)
        if process.returncode:
            raise SystemExit(f"{stage} failed")
    return time.perf_counter() - start, cpu_seconds() - used, peak


def cpu_seconds() -> float:
    """User and system time of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def print_table(rows: list[dict[str, Any]], sizes: list[int]) -> None:
    print(
        f"{'stage':8} {'pairs':>10} {'seconds':>9} {'CPU s':>7} {'pairs/s':>9} "
        f"{'peak RssAnon MiB':>17}"
    )
    for row in rows:
        print(
            f"{row['stage']:8} {row['pairs']:>10,} {row['seconds']:>9.2f} "
            f"{row['cpu_seconds']:>7.2f} {row['pairs_per_second']:>9,} "
            f"{row['peak_rss_anon_mib']:>17,.1f}"
        )
    for pairs in sizes:
        seconds = sum(r["seconds"] for r in rows if r["pairs"] == pairs and r["stage"] != "pieces")
        both = sum(
            r["seconds"] for r in rows if r["pairs"] == pairs and r["stage"] in ("ingest", "clean")
        )
        rate = pairs / both
        print(f"{pairs:,} pairs: ingest + clean {rate:,.0f} pairs/s; with encode {seconds:.1f} s")
    for stage in MEASURED if len(sizes) > 1 else ():
        peaks = {r["pairs"]: r["peak_rss_anon_mib"] for r in rows if r["stage"] == stage}
        growth = peaks[max(sizes)] / peaks[min(sizes)] - 1
        print(f"{stage}: {growth:+.1%} from {min(sizes):,} to {max(sizes):,} pairs")


if __name__ == "__main__":
    raise SystemExit(main())
