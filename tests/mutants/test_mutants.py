"""Every law has teeth: a small bug, put in on purpose, turns the law's smallest case red."""

import re

LAWS = {
    "padding",
    "batch",
    "causality",
    "cache",
    "score",
    "search",
    "additivity",
    "each once",
    "gradient",
    "chance",
    "reference",
    "resume",
    "learning",
    "round trip",
    "ledger",
    "leak",
    "identity",
    "package",
}


def test_without_a_mutant_a_test_of_each_law_is_green_here(mutants, tried):
    """Each shows where it stands that it is green: one of each law is tried here, too, in the
    process that tries the mutants."""
    tests = {mutant.LAW: mutant.TEST for mutant in mutants.values()}
    trial = tried(sorted(tests.values()))
    assert ended(trial) == {("call", "passed")}, trial["text"]
    assert len(trial["outcomes"]) >= len(tests)


def test_a_mutant_turns_its_law_red(mutant, mutant_path, tried, root):
    path = mutant_path.relative_to(root).as_posix()
    trial = tried([mutant.TEST], path)
    assert ("call", "failed") in ended(trial), f"survived: {mutant.WHY}\n{trial['text']}"
    assert ended(trial) <= {("call", "passed"), ("call", "failed")}, trial["text"]


def ended(trial):
    """How the phases of all cases ended; a test that is parametrised has several."""
    return {(phase, outcome) for _, phase, outcome in trial["outcomes"]}


def test_a_mutant_says_what_it_does(mutant, root):
    assert mutant.LAW in LAWS
    assert re.fullmatch(r"tests/\S+\.py::.+", mutant.TEST)
    assert (root / mutant.TEST.split("::")[0]).is_file()
    assert len(mutant.WHY.split()) >= 4


def test_every_law_has_a_mutant(mutants):
    assert LAWS - {mutant.LAW for mutant in mutants.values()} == set()
