"""Spell a language of characters in pieces: an automaton over ids.

Example: with the pieces "▁1", "2" and "12", the expression `12|2` is accepted as "▁1 2" and as
"12", in every spelling that reads the same. A piece says something else at the beginning of a text,
where its space is left out, than inside.
"""

from collections.abc import Callable, Sequence

from pipeline.batches.batch import EOS
from pipeline.decoding.automata import FINISHED, START, Automaton, automaton
from pipeline.decoding.expressions import NEVER, Expression, after, may_end
from pipeline.problems import Problem

MOST = 20_000  # states: more than any grammar that a person writes
LOST = "\ufffd"  # what a piece says that is a part of a character
Tree = dict[str, "Tree | int"]  # texts of pieces by their characters; the id is under ""
Decode = Callable[[Sequence[Sequence[int]]], list[str]]


def spelled(language: Expression, decode: Decode, vocabulary: int) -> Automaton:
    """The automaton of all sequences of ids that read as a text of the language."""
    first, inside = _trees(decode, vocabulary)
    places: dict[Expression, int] = {}
    todo: list[Expression] = []

    def edges_of(state: Expression, trees: Sequence[Tree]) -> dict[int, int]:
        edges = {EOS: FINISHED} if may_end(state) else {}
        for tree in trees:
            for id, left in _reached(state, tree):
                if left not in places:
                    places[left] = START + 1 + len(places)
                    todo.append(left)
                edges[id] = places[left]
        return edges

    edges = [{}, edges_of(language, first)]
    for state in todo:
        if len(places) > MOST:
            raise Problem(
                f"the grammar needs more than {MOST} states",
                where="decoding.allowed.rules",
                remedy="fewer or smaller {…} counts",
            )
        edges.append(edges_of(state, inside))
    return automaton(edges, vocabulary)


def _reached(state: Expression, tree: Tree) -> list[tuple[int, Expression]]:
    """The ids whose texts can be read from a state, and what is left after each."""
    found: list[tuple[int, Expression]] = []
    stack: list[tuple[Expression, Tree]] = [(state, tree)]
    while stack:
        left, node = stack.pop()
        for character, below in node.items():
            if isinstance(below, int):
                found.append((below, left))
            elif (then := after(left, character)) != NEVER:
                stack.append((then, below))
    return found


def _trees(decode: Decode, vocabulary: int) -> tuple[list[Tree], list[Tree]]:
    """The pieces' texts at the beginning and inside, each as trees of different pieces' texts."""
    ids = list(range(EOS + 1, vocabulary))
    first = decode([[id] for id in ids])
    anchor = next((id for id, text in zip(ids, first, strict=True) if text.isalnum()), None)
    if anchor is None:
        return [], []
    inside = decode([[anchor, id] for id in ids])
    before = len(first[anchor - ids[0]])
    bodies = [text[before:] for text in inside]
    at_first = [
        (id, text)
        for id, text, body in zip(ids, first, bodies, strict=True)
        if LOST not in text and (text or body.strip(" ") == "" != body)
    ]
    later = [(id, body) for id, body in zip(ids, bodies, strict=True) if body and LOST not in body]
    return _forest(at_first), _forest(later)


def _forest(texts: Sequence[tuple[int, str]]) -> list[Tree]:
    """Trees by character; pieces of one text (two spellings of a letter) go to different trees."""
    trees: list[Tree] = []
    for id, text in texts:
        for tree in trees:
            if _planted(tree, text, id):
                break
        else:
            trees.append({})
            _planted(trees[-1], text, id)
    return trees


def _planted(tree: Tree, text: str, id: int) -> bool:
    node = tree
    for character in text:
        below = node.setdefault(character, {})
        assert not isinstance(below, int)
        node = below
    if "" in node:
        return False
    node[""] = id
    return True
