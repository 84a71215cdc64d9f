"""The mirror: what a run keeps in its folder, in a store too, so that any host can go on.

    FOLDER/ (of the first worker's host)     STORE/RUNKEY/
    ├── checkpoints/00000300/           ─►   ├── checkpoints/00000300.CLAIM/
    ├── best/00000260/                  ─►   ├── best/00000260.CLAIM/
    ├── finished/                       ─►   ├── finished/finished.CLAIM/
    ├── fault.json                      ─►   ├── fault.json
    └── progress.jsonl                  ─►   └── progress/CLAIM-000000.jsonl …

The run itself only knows its folder. A thread of its own looks into it every few seconds, and makes
the store hold what is there: what is missing is uploaded, the newest checkpoint first, and what the
run has removed goes when that is proven. Nothing is remembered between two looks, and no step waits
for one: a store that is away for a while, or comes back empty, has everything soon after.

A folder is in the store where its manifest is, which is written when all files were read back. No
name is written twice with other content, whoever else still writes: names end with the claim.
"""

import os
import shutil
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.files import MANIFEST, disk, empty_folder
from pipeline.problems import Problem
from pipeline.store import Listed, Store, complete, patiently, put_folder
from pipeline.training.checkpoint import every
from pipeline.training.claim import RENEWED, Claim, take_claim
from pipeline.training.fetched import BEST, CHECKPOINTS, FINISHED, PROGRESS, parted, pull
from pipeline.training.lease import LostLeaseError
from pipeline.training.progress import FILE, ProgressFile, last_step
from pipeline.training.run import FAULT

LOOK = 3.0  # seconds between two looks
PATIENCE = 600.0  # seconds that a finished run waits for a store which is away
PATIENCE_AT_A_STOP = 20.0  # the same for one that was asked to stop: soon it is killed
SEGMENT = 2**20  # bytes of the progress that are one object, written again while it grows


class Mirror:
    """Keeps the store of a claim like a run's folder. Made before the run looks into that."""

    def __init__(self, folder: Path, claim: Claim) -> None:
        self.folder, self.claim, self.store = folder, claim, claim.store
        self._base = pull(self.store, folder)  # bytes of the progress that others wrote
        self._lock = threading.Lock()
        self._error: Exception | None = None

    def stop(self) -> bool:
        """Raise what ended the thread: that another trainer has taken over. A run asks at every
        step whether it is to stop, and so hears of it."""
        if self._error is not None:
            raise self._error
        return False

    def look(self) -> None:
        """Make the store hold what the folder holds; a Problem where it is away."""
        with self._lock:
            listed = self.store.listed()
            self.claim.check(listed)
            self._send_progress(listed)
            sent = [self._send(kind, listed) for kind in (CHECKPOINTS, FINISHED)]
            self._send_fault(listed)
            self._clear(self.store.listed() if any(sent) else listed)

    def _send_progress(self, listed: dict[str, Listed]) -> None:
        """Every whole line, in objects that grow to `SEGMENT` bytes."""
        path, prefix = self.folder / FILE, f"{PROGRESS}/{self.claim.name}-"
        sent = sum(found.bytes for name, found in listed.items() if name.startswith(prefix))
        number = sent // SEGMENT
        content = _lines(path, self._base + number * SEGMENT)
        if number * SEGMENT + len(content) == sent:
            return
        for begin in range(0, len(content), SEGMENT):
            name = f"{prefix}{number + begin // SEGMENT:06d}.jsonl"
            self.store.write(name, content[begin : begin + SEGMENT])

    def _send(self, kind: str, listed: dict[str, Listed]) -> bool:
        """Folders of a kind that are not there, the newest first; was there any?

        Before a checkpoint the weights that it calls best: without them it is none.
        """
        there, sent = complete(listed), False
        for path in _folders(self.folder, kind):
            if (kind, path.name) in map(parted, there):
                continue
            with _held(path) as held:
                if held is not None:
                    if kind == CHECKPOINTS:
                        self._send(BEST, listed)
                    place = f"{kind}/{path.name}.{self.claim.name}"
                    put_folder(self.store.below(place), held)
                    listed[f"{place}/{MANIFEST}"] = Listed(0, 0)
                    sent = True
        return sent

    def _send_fault(self, listed: dict[str, Listed]) -> None:
        path = self.folder / FAULT
        if path.exists():
            self.store.upload(path, FAULT)
        elif FAULT in listed:
            self.store.delete(FAULT)

    def _clear(self, listed: dict[str, Listed]) -> None:
        """What the folder no longer has goes, where one of its checkpoints is there."""
        kinds = CHECKPOINTS, BEST
        here = {(kind, path.name) for kind in kinds for path in _folders(self.folder, kind)}
        there = {one for one in map(parted, complete(listed)) if one[0] == CHECKPOINTS}
        if not here & there:
            return
        gone = [name for name in listed if _is_of(name, kinds, here)]
        for name in sorted(gone, key=lambda name: not name.endswith(MANIFEST)):
            self.store.delete(name)  # manifests first: nothing is half there

    def tell(self, note: str) -> None:
        """An event of the run."""
        ProgressFile(self.folder).append(last_step(self.folder), "event", note=note)

    def end(self, *, finished: bool) -> None:
        """See to it that all is in the store; a Problem where that stays away from a finished run.

        One that was asked to stop goes on from what is there, wherever it goes on.
        """
        if finished:
            return self._flush(PATIENCE)
        try:
            self._flush(PATIENCE_AT_A_STOP)
        except Problem as problem:
            self.tell(f"stopped; what was made last is only on this host: {problem}")

    def _flush(self, seconds: float) -> None:
        """Look until all is in the store; a Problem where that is still away after so long."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.look()
            except Problem:
                if time.monotonic() > end:
                    raise
            time.sleep(LOOK)

    @contextmanager
    def working(self) -> Generator[None]:
        """Until the block ends: look every few seconds, and show others that this trainer lives.

        The progress tells when the store is away, and when it is back. A block that fails has its
        last word uploaded.
        """
        done = threading.Event()
        threads = [
            threading.Thread(target=self._watch, args=(done,), name="mirror", daemon=True),
            threading.Thread(target=self._renew, args=(done,), name="claim", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            with suppress(Problem, LostLeaseError):
                self.look()
            raise
        finally:
            done.set()
            for thread in threads:
                thread.join()

    def _watch(self, done: threading.Event) -> None:
        since = 0.0
        while not done.wait(LOOK):
            try:
                self.look()
            except Problem as problem:
                if not since:
                    since = time.monotonic()
                    self.tell(f"nothing can be uploaded, training goes on: {problem}")
            except Exception as error:  # a lost lease, or a bug: whoever takes steps raises it
                self._error = error
                return
            else:
                if since:
                    self.tell(f"uploading again, after {time.monotonic() - since:.0f} s")
                    since = 0.0

    def _renew(self, done: threading.Event) -> None:
        """Beside what may take long to upload."""
        while not done.wait(RENEWED):
            with suppress(Problem):
                self.claim.renew()


@contextmanager
def mirrored(folder: Path, store: Store, owner: str) -> Generator[Mirror]:
    """Take a run of a store over into `folder`, and keep the store like that while the block runs.

    A Problem where a living trainer of another owner has it, or the store stays away.
    """
    mirror = patiently(lambda: Mirror(folder, take_claim(store, owner)))
    with mirror.working():
        yield mirror


def _lines(path: Path, begin: int) -> bytes:
    """The whole lines of a file from a byte on."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(begin)
        content = file.read()
    return content[: content.rfind(b"\n") + 1]


def _folders(folder: Path, kind: str) -> list[Path]:
    """The folders of a kind, the newest first."""
    if kind == FINISHED:
        return [folder / FINISHED] if (folder / FINISHED).exists() else []
    return every(folder / kind)


def _is_of(name: str, kinds: tuple[str, ...], but: set[tuple[str, str]]) -> bool:
    """Is an object of a folder of these kinds, but of none of those?"""
    found = parted(name)
    return found[0] in kinds and found not in but


@contextmanager
def _held(folder: Path) -> Generator[Path | None]:
    """The files of a folder under a hidden name, where they stay whoever removes it; None where
    it is gone."""
    held = folder.with_name(f".{folder.name}.{os.getpid()}.held.tmp")
    try:
        with disk(folder):
            empty_folder(held)
            try:
                for path in folder.iterdir():
                    os.link(path, held / path.name)
                found = (held / MANIFEST).exists()
            except FileNotFoundError:
                found = False
        yield held if found else None
    finally:
        shutil.rmtree(held, ignore_errors=True)
