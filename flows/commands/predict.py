"""`seqline predict`: translate with the champion, else the challenger; stderr says with which."""

from flows.inuse import lines, predictor
from pipeline.problems import Problem


def predict(text: str | None, file: str | None, ensemble: list[str]) -> None:
    """One line out for each line in; nothing but these on stdout."""
    if text is not None and file is not None:
        raise Problem("give a text or --file, not both", value=text)
    given = [text] if text is not None else lines(file)
    for hypotheses in predictor(ensemble).predict(given):
        print(hypotheses[0].text)
