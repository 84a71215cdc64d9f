import bz2
import gzip
import lzma

import pyarrow as pa
import pytest

from pipeline.corpora import lines
from pipeline.corpora.lines import read_lines
from pipeline.problems import Problem

TEXT = "Ein Hund\ttrailing  \nzweite\r\n\u2028dritte\x0b\x85\n\nletzte"
LINES = ["Ein Hund\ttrailing  ", "zweite\r", "\u2028dritte\x0b\x85", "", "letzte"]
PACK = {
    "plain.txt": lambda data: data,
    "text.gz": gzip.compress,
    "text.xz": lzma.compress,
    "text.bz2": bz2.compress,
    "text.zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def read(path, line_end="lf"):
    return [line for array in read_lines(path, line_end) for line in array.to_pylist()]


@pytest.mark.parametrize("name", PACK)
def test_a_line_ends_at_lf_only_and_keeps_every_other_byte(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(PACK[name](TEXT.encode()))
    assert read(path) == LINES


@pytest.mark.parametrize("name", ["text.gz", "text.xz", "text.bz2", "text.zst"])
def test_several_compressed_streams_in_one_file_are_one_text(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(PACK[name](b"a\nb") + PACK[name](b"c\nd\n"))
    assert read(path) == ["a", "bc", "d"]


@pytest.mark.parametrize("name", ["text.gz", "text.xz", "text.bz2", "text.zst"])
def test_a_compressed_file_cut_in_half_is_a_problem(tmp_path, name):
    path = tmp_path / name
    packed = PACK[name]("".join(f"line {i * 7919}\n" for i in range(5_000)).encode())
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(Problem, match="cannot be read to its end") as caught:
        read(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("name", ["text.gz", "text.xz", "text.bz2", "text.zst"])
def test_a_suffix_that_lies_is_a_problem(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"plain text that is not compressed\n" * 9)
    with pytest.raises(Problem, match="cannot be read to its end") as caught:
        read(path)
    assert "suffix" in caught.value.remedy


def test_lines_come_in_pieces_that_do_not_change_them(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "CHUNK_BYTES", 7)
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    assert read(path) == LINES
    assert len(list(read_lines(path))) > 2


def test_an_empty_file_has_no_lines_and_a_lone_lf_is_one(tmp_path):
    (tmp_path / "none").write_bytes(b"")
    (tmp_path / "one").write_bytes(b"\n")
    assert read(tmp_path / "none") == []
    assert read(tmp_path / "one") == [""]


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfHallo\n\xef\xbb\xbfWelt\n")
    assert read(path) == ["Hallo", "\ufeffWelt"]


def test_bytes_that_are_not_utf8_name_file_line_and_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "CHUNK_BYTES", 16)
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"one\ntwo\nthree\nM\xe4dchen\nfive\n")
    with pytest.raises(Problem, match="not UTF-8 at byte 2") as caught:
        read(path)
    assert caught.value.where == f"{path}, line 4"
    assert "iconv" in caught.value.remedy


def test_a_character_that_a_line_end_cuts_is_not_utf8(tmp_path):
    path = tmp_path / "cut.txt"
    path.write_bytes(b"a\xc3\n\xa4b\n")
    with pytest.raises(Problem, match="not UTF-8 at byte 2") as caught:
        read(path)
    assert caught.value.where == f"{path}, line 1"


def test_crlf_takes_both_characters_off_every_line(tmp_path):
    path = tmp_path / "windows.txt"
    path.write_bytes(b"one\r\n\r\ntwo \r\r\nlast")
    assert read(path, "crlf") == ["one", "", "two \r", "last"]


def test_a_line_without_cr_in_a_crlf_file_is_named(tmp_path):
    path = tmp_path / "windows.txt"
    path.write_bytes(b"one\r\ntwo\nthree\r\n")
    with pytest.raises(Problem, match="does not end with CR LF") as caught:
        read(path, "crlf")
    assert caught.value.where == f"{path}, line 2"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Problem, match="file not found") as caught:
        read(tmp_path / "none.de.gz")
    assert caught.value.where == str(tmp_path / "none.de.gz")


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "CHUNK_BYTES", 100)
    monkeypatch.setattr(lines, "LONGEST_LINE_BYTES", 1_000)
    path = tmp_path / "blob"
    path.write_bytes(b"short\n" + b"x" * 5_000)
    with pytest.raises(Problem, match="line is longer than 1000 bytes") as caught:
        read(path)
    assert caught.value.where == f"{path}, line 2"


@pytest.mark.parametrize("name", ["text.gz", "text.xz", "text.bz2", "text.zst"])
def test_what_unpacks_to_very_much_comes_in_small_chunks(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(PACK[name](b"a\n" * (4 << 20)))
    assert path.stat().st_size < 1 << 16
    counts = [len(array) for array in read_lines(path)]
    assert sum(counts) == 4 << 20
    assert max(counts) <= lines.CHUNK_BYTES


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_above_the_bound_is_a_problem_even_if_it_ends(tmp_path, monkeypatch, name, end):
    monkeypatch.setattr(lines, "CHUNK_BYTES", 100)
    monkeypatch.setattr(lines, "LONGEST_LINE_BYTES", 1_000)
    path = tmp_path / name
    path.write_bytes(PACK[name](b"short\n" + b"x" * 1_000 + b"\n"))
    assert [len(line) for line in read(path)] == [5, 1_000]
    path.write_bytes(PACK[name](b"short\n" + b"x" * 1_001 + end))
    with pytest.raises(Problem, match="line is longer than 1000 bytes") as caught:
        read(path)
    assert caught.value.where == f"{path}, line 2"


def test_zeros_may_stand_between_the_streams_of_an_xz_file(tmp_path):
    path = tmp_path / "text.xz"
    path.write_bytes(lzma.compress(b"a\n") + b"\0" * 8 + lzma.compress(b"b\n") + b"\0" * 4)
    assert read(path) == ["a", "b"]


def test_an_xz_file_that_needs_too_much_memory_is_a_problem(tmp_path):
    path = tmp_path / "text.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 29}]
    path.write_bytes(lzma.compress(b"a\n", filters=filters))
    with pytest.raises(Problem, match="Memory usage limit") as caught:
        read(path)
    assert "packed anew" in caught.value.remedy


@pytest.mark.parametrize("rest", [b"", b"\0"])
def test_an_xz_file_cut_to_nothing_is_a_problem(tmp_path, rest):
    path = tmp_path / "text.xz"
    path.write_bytes(rest)
    with pytest.raises(Problem, match="cannot be read to its end"):
        read(path)
