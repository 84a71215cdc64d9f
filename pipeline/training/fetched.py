"""What a host fetches of a run that is kept in a store: another host works, or has worked, on it.

Whoever goes on with it needs all (`pull`); whoever waits for it follows its progress and takes its
result. Nothing here writes to the store.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.files import disk, write_bytes
from pipeline.lookout import lookout
from pipeline.problems import Problem
from pipeline.store import MissingError, Store, complete, get_folder
from pipeline.training.folders import written
from pipeline.training.progress import FILE
from pipeline.training.run import FAULT

BEST, CHECKPOINTS, FINISHED, PROGRESS = "best", "checkpoints", "finished", "progress"
RECORD = "record.json"
LOOK = 2.0  # seconds between two looks at the progress


def pull(store: Store, folder: Path) -> int:
    """Bring into a run's folder what it has not: checkpoints, the best weights, the progress.

    Of one that two trainers wrote, that of the later. Returns the bytes of the progress that are in
    the store. What is fetched is verified by whoever reads it.
    """
    listed = store.listed()
    for name in sorted(complete(listed), reverse=True):
        kind, number = parted(name)
        place = folder / kind / number
        if kind in (BEST, CHECKPOINTS) and not place.exists():
            with written(place) as beside:
                get_folder(store.below(name), beside)
    return Progress(store, folder).begin()


def parted(name: str) -> tuple[str, str]:
    """The kind and the number of a folder of the store: `checkpoints/00000300.CLAIM`."""
    kind, _, rest = name.partition("/")
    return kind, rest.partition(".")[0]


class Progress:
    """The progress of a run, brought into the folder's one file as it grows."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.path = store, folder / FILE
        self._have: dict[str, int] = {}  # bytes of each object

    def begin(self) -> int:
        """All that there is instead of what is here, if there is any; its bytes."""
        listed = self.store.listed(PROGRESS)
        with disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        if listed:
            write_bytes(self.path, b"".join(self.store.read(name) for name in listed))
        self._have = {name: found.bytes for name, found in listed.items()}
        return sum(self._have.values())

    def look(self) -> None:
        """Append what came since. Of a trainer that was left behind nothing counts any more."""
        listed = self.store.listed(PROGRESS)
        last = max(self._have, default="")
        for name, found in listed.items():
            have = self._have.get(name, 0)
            if found.bytes > have and (name >= last or name in self._have):
                content = self.store.read(name, have, found.bytes - have)
                with disk(self.path), self.path.open("ab") as file:
                    file.write(content)
                self._have[name] = found.bytes


@contextmanager
def followed(progress: Progress) -> Generator[None]:
    """While the block runs, bring a run's progress here, and at its end what was said last."""

    def look() -> None:
        with suppress(Problem):  # the store is away: the next look brings all
            progress.look()

    try:
        with lookout(look, every=LOOK):
            yield
    finally:
        with suppress(Problem):
            progress.look()
            progress.store.download(FAULT, progress.path.with_name(FAULT))  # if there is one


def fetch_record(store: Store, folder: Path) -> None:
    """Bring here which codes worked on a run, where a trainer told."""
    with suppress(MissingError):
        store.download(RECORD, folder / RECORD)


def fetch_finished(store: Store, folder: Path) -> None:
    """Bring the result of a finished run here, where there is one: that of the last trainer."""
    name = max(complete(store.listed(FINISHED)), default="")
    if name:
        with written(folder / FINISHED) as beside:
            get_folder(store.below(name), beside)
