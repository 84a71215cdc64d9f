"""The cache: parts by their checksums, never more than it may hold, shared by processes."""

import hashlib
import os
import subprocess
import sys

import pytest

from pipeline.cache import Cache
from pipeline.problems import Problem


def part(number, length=100):
    content = bytes([number]) * length
    return hashlib.sha256(content).hexdigest(), content


def opened(cache, number, *, length=100, fetched=None):
    """A part; its number goes into `fetched` where it was not in the cache."""
    name, content = part(number, length)

    def fetch():
        if fetched is not None:
            fetched.append(number)
        return content

    assert cache.opened(name, fetch).to_pybytes() == content


def test_a_part_is_fetched_once(tmp_path):
    cache, fetched = Cache(tmp_path, 1000), []
    for number in (1, 2, 1, 2):
        opened(cache, number, fetched=fetched)
    opened(Cache(tmp_path, 1000), 1, fetched=fetched)
    assert fetched == [1, 2]
    assert cache.used() == 200


def test_a_part_that_was_altered_here_is_fetched_again(tmp_path):
    cache, fetched = Cache(tmp_path, 1000), []
    opened(cache, 1, fetched=fetched)
    (path,) = (tmp_path / "parts").glob("*/*")
    path.write_bytes(b"\1" * 99)
    opened(cache, 1, fetched=fetched)
    assert fetched == [1, 1]


def test_a_part_that_was_altered_there_is_a_problem_and_not_kept(tmp_path):
    cache = Cache(tmp_path, 1000)
    with pytest.raises(Problem, match="its checksum differs"):
        cache.opened(part(1)[0], lambda: b"another")
    assert cache.used() == 0


def test_what_was_not_opened_for_longest_goes_and_what_is_mapped_stays_readable(tmp_path):
    cache, fetched = Cache(tmp_path, 800), []
    mapped = cache.opened(part(0)[0], lambda: part(0)[1])
    for number in range(1, 8):
        opened(cache, number)
    for number, age in ((0, 50), (1, 10), *((n, 40 - n) for n in range(2, 8))):
        path = cache._path(part(number)[0])
        os.utime(path, (1e9 - age, 1e9 - age))
    opened(cache, 8)
    assert cache.used() <= 800
    opened(cache, 1, fetched=fetched)
    assert fetched == []
    opened(cache, 0, fetched=fetched)
    assert fetched == [0]
    assert mapped.to_pybytes() == part(0)[1]


def test_a_part_larger_than_the_cache_is_read_all_the_same(tmp_path):
    cache = Cache(tmp_path, 150)
    opened(cache, 1)
    opened(cache, 2, length=400)
    assert cache.used() == 400
    opened(cache, 1)
    assert cache.used() == 100


WORKER = """
import hashlib, random, sys
from pathlib import Path
from pipeline.cache import Cache
cache, chance = Cache(Path(sys.argv[1]), 4000), random.Random(sys.argv[2])
for _ in range(300):
    content = bytes([chance.randrange(60)]) * chance.choice([100, 200])
    name = hashlib.sha256(content).hexdigest()
    assert cache.opened(name, lambda: content).to_pybytes() == content
"""


@pytest.mark.system
def test_processes_share_a_cache_that_stays_within_its_bound(tmp_path):
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), str(n)]) for n in range(3)
    ]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0, 0]
    assert int((tmp_path / "used").read_text()) == Cache(tmp_path, 4000).used() <= 4000
