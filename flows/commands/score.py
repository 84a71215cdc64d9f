"""`seqline score`: what a model thinks of given targets.

`source<TAB>target` a line in; `score<TAB>log-probability<TAB>pieces<TAB>formula` a line out.
"""

from flows.inuse import lines, predictor
from pipeline.problems import Problem


def score(file: str | None, ensemble: list[str]) -> None:
    """One line out for each line in; nothing but these on stdout."""
    pairs = [line.removesuffix("\r").split("\t") for line in lines(file)]
    for number, pair in enumerate(pairs, 1):
        if len(pair) != 2:
            raise Problem(
                "expected a source, a tab and a target",
                where=f"{file or 'standard input'}, line {number}",
                value="\t".join(pair),
            )
    scored = predictor(ensemble).score([source for source, _ in pairs], [one for _, one in pairs])
    for one in scored:
        print(f"{one.score:.6f}\t{one.log_probability:.6f}\t{one.pieces}\t{one.formula}")
