"""Load a package: its own modules, never the checkout's, however many versions are in one process.

A package's modules have a name of their own (see `closure.py`), so what is loaded here is a
stranger to the classes of the same names in `pipeline`: hypotheses and problems are handed over at
this border. No byte code is written: the folder may be the registry's.
"""

import importlib
import importlib.util
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from pipeline.files import read_manifest
from pipeline.problems import Problem
from pipeline.records import Hypothesis


class Predictor(Protocol):
    """A packaged model at work."""

    @property
    def package_digest(self) -> str:
        """The digest of the package that it came from."""
        ...

    def predict(
        self,
        texts: Sequence[str],
        *,
        n_best: int | None = None,
        beam_size: int | None = None,
        batch_sentences: int = 64,
    ) -> list[tuple[Hypothesis, ...]]:
        """The hypotheses of each text, best first, in the order given; bad input is a Problem."""
        ...

    def score(
        self, texts: Sequence[str], targets: Sequence[str], *, batch_sentences: int = 64
    ) -> list[Hypothesis]:
        """Each target as a hypothesis of the text at its place; bad input is a Problem."""
        ...


def load(folder: Path) -> Predictor:
    """The predictor of a package; a Problem where a file is missing or altered."""
    folder = folder.resolve()
    manifest = read_manifest(folder)
    name: str = manifest["modules"]
    with _handing_over(name):
        inner = _import_predictor(name, folder / "code" / name)
        return _Border(inner.read(folder / "model"), name, manifest["package_digest"])


def _import_predictor(name: str, folder: Path) -> Any:
    """By path: nothing is looked up on sys.path. The same code from two places is imported once."""
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(
                name, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
            assert spec is not None and spec.loader is not None, folder
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        return importlib.import_module(f"{name}.package.predictor").Predictor
    finally:
        sys.dont_write_bytecode = writes


class _Border:
    """Hands texts in, and what comes out over as our own records and problems."""

    def __init__(self, inner: Any, name: str, package_digest: str) -> None:
        self._inner = inner
        self._name = name
        self.package_digest = package_digest

    def predict(
        self,
        texts: Sequence[str],
        *,
        n_best: int | None = None,
        beam_size: int | None = None,
        batch_sentences: int = 64,
    ) -> list[tuple[Hypothesis, ...]]:
        """See `Predictor`."""
        with _handing_over(self._name):
            found: list[tuple[Any, ...]] = self._inner.predict(
                texts, n_best=n_best, beam_size=beam_size, batch_sentences=batch_sentences
            )
        return [tuple(map(_hypothesis, one)) for one in found]

    def score(
        self, texts: Sequence[str], targets: Sequence[str], *, batch_sentences: int = 64
    ) -> list[Hypothesis]:
        """See `Predictor`."""
        inner = getattr(self._inner, "score", None)  # older packages have none
        if inner is None:
            raise Problem(
                "this version is older than scoring", remedy="package it again: seqline run"
            )
        with _handing_over(self._name):
            found: list[Any] = inner(texts, targets, batch_sentences=batch_sentences)
        return list(map(_hypothesis, found))


def _hypothesis(one: Any) -> Hypothesis:
    formula = getattr(one, "formula", "")  # older packages do not say it
    return Hypothesis(one.text, one.score, one.log_probability, one.pieces, formula)


@contextmanager
def _handing_over(name: str) -> Generator[None]:
    """A package's Problem becomes ours; anything else travels as it is."""
    try:
        yield
    except Exception as error:
        if type(error).__module__ != f"{name}.problems":
            raise
        facts: Any = error
        raise Problem(
            facts.what, where=facts.where, value=facts.value, remedy=facts.remedy
        ) from error
