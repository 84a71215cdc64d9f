"""`seqline …`: the commands. Thin: what a command needs is imported when it runs.

A Problem ends it with one message and exit code 1; `--debug` adds the traceback.
"""

import signal
import sys
from gc import set_threshold
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from pipeline.problems import Problem

NEW_OBJECTS = 50_000  # until Python looks for garbage; libraries make a million that stay
INTERRUPTED = 130  # what typer returns for Ctrl-C, too
# typer names this exception's subclasses only.
WRONG_USAGE: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError"
)

ENSEMBLE = typer.Option(
    "--ensemble", metavar="VERSION", help="Several versions as one model; once for each."
)

app = typer.Typer(
    name="seqline",
    help="A production line for sequence-to-sequence models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _common(  # pyright: ignore[reportUnusedFunction]
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """A production line for sequence-to-sequence models: corpora in, a registered model out."""


@app.command()
def use(recipe: Annotated[str, typer.Argument(help="A file of recipes/, without .yaml.")]) -> None:
    """Copy a recipe over params.yaml."""
    from flows.commands.use import use

    use(recipe)


@app.command()
def run(
    sets: Annotated[
        list[str] | None,
        typer.Option("-S", "--set", metavar="KEY=VALUE", help="Write a value into params.yaml."),
    ] = None,
) -> None:
    """Run what is stale, then register, gate, promote and report."""
    from flows.commands.run import run

    run(sets or [])


@app.command()
def plan() -> None:
    """Say what a run would do, and why. Changes nothing."""
    from flows.commands.plan import plan

    plan()


@app.command()
def status() -> None:
    """Say what is here: results, versions, an open run."""
    from flows.commands.status import status

    status()


@app.command()
def data(
    samples: Annotated[bool, typer.Option(help="Show samples of what was dropped.")] = True,
) -> None:
    """Show what became of the rows of each corpus."""
    from flows.commands.data import data

    data(samples)


@app.command()
def predict(
    text: Annotated[str | None, typer.Argument(help="A sentence; without, see --file.")] = None,
    file: Annotated[
        str | None, typer.Option(help="A file with a sentence a line; default: standard input.")
    ] = None,
    ensemble: Annotated[list[str] | None, ENSEMBLE] = None,
) -> None:
    """Translate with the champion, or with the challenger where there is none."""
    from flows.commands.predict import predict

    predict(text, file, ensemble or [])


@app.command()
def score(
    file: Annotated[
        str | None,
        typer.Option(help="A file with SOURCE<tab>TARGET a line; default: standard input."),
    ] = None,
    ensemble: Annotated[list[str] | None, ENSEMBLE] = None,
) -> None:
    """Score given targets with the champion: score, log-probability, pieces and formula a line."""
    from flows.commands.score import score

    score(file, ensemble or [])


@app.command()
def register() -> None:
    """Register the package in artifacts/. The same content gives the same version."""
    from flows.commands.register import register

    register()


@app.command()
def gate() -> None:
    """Hold the version of what is in artifacts/ against the champion."""
    from flows.commands.gate import gate

    gate()


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="A number; default: challenger.")] = None,
    why: Annotated[str, typer.Option(help="For the history.")] = "",
    against_verdict: Annotated[
        bool, typer.Option("--against-verdict", help="Even if the gate refused, or never saw it.")
    ] = False,
) -> None:
    """Make a version the champion."""
    from flows.commands.promote import promote

    promote(version, why, against_verdict)


@app.command()
def rollback(why: Annotated[str, typer.Option(help="For the history.")] = "") -> None:
    """Bring the former champion back."""
    from flows.commands.rollback import rollback

    rollback(why)


@app.command()
def history() -> None:
    """Show who moved the champion, when and why."""
    from flows.commands.history import history

    history()


@app.command()
def report() -> None:
    """Write report/report.html again."""
    from flows.commands.report import report

    report()


@app.command()
def schedule(
    cron: Annotated[str | None, typer.Option(help='For example "0 3 * * *".')] = None,
    interval: Annotated[float | None, typer.Option(help="Seconds between runs.")] = None,
) -> None:
    """Serve the run on a schedule, against a Prefect server, until stopped."""
    from flows.commands.schedule import schedule

    schedule(cron, interval)


@app.command(name="start-from")
def start_from(
    version: Annotated[str, typer.Argument(help="A number, or champion, or challenger.")],
) -> None:
    """Have the next training start from a version's weights."""
    from flows.commands.start_from import start_from

    start_from(version)


@app.command()
def gc(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Free space: results of no commit, and the state of trainings before the present one."""
    from flows.commands.gc import gc

    gc(yes)


def main() -> NoReturn:
    """The program `seqline`."""
    set_threshold(NEW_OBJECTS)
    signal.signal(signal.SIGTERM, _interrupt)
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = app(arguments, prog_name="seqline", standalone_mode=False)
    except WRONG_USAGE as error:
        wrong: Any = error
        wrong.show()
        sys.exit(2)
    except Problem as problem:
        if debug:
            raise
        print(problem, file=sys.stderr)
        sys.exit(1)
    except typer.Abort:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    sys.exit(code)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a command as Ctrl-C does, so that nothing that it started stays."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
