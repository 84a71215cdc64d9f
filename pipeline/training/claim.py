"""The claim: the lease of a run key whose state is in a store, where nothing can be locked.

`RUNKEY/claims/00000007-ab12cd34.json` is the seventh claim, of the owner that it names. Whoever
starts writes one with the next number, and looks: the highest name of all is the one that counts,
so of two that came at once one is the next one's former. A trainer that was left behind sees a
higher name than its own before it writes, and ends. What it was just writing harms nobody: all
that is kept of a run bears the name of the claim under which it was written, and is there only
with its manifest.

An owner of this host is looked for among its processes. One of another host writes its claim again
and again, so that it lives where that moves, and is gone where it has been still for `SILENCE`.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import canonical_json
from pipeline.store import MissingError, Store
from pipeline.training.lease import LOOK, SILENCE, LostLeaseError, lives_here, taken, waits_for

CLAIMS = "claims"
RENEWED = 20.0  # seconds between two writings of a claim


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write below `store` (its RUNKEY), as long as nobody has a higher name."""

    store: Store
    owner: str
    name: str  # number and token

    def check(self, listed: Iterable[str]) -> None:
        """LostLeaseError where a listing of the store shows that another trainer took over.

        One in which there is no claim at all is of a store that was lost meanwhile: nobody's.
        """
        highest = _highest(listed)
        if highest > self.name:
            raise LostLeaseError(f"{self.store.address}: another trainer has taken over this run")
        if not highest:
            self.renew()

    def renew(self) -> None:
        """Show others that this one lives."""
        self.store.write(_place(self.name), canonical_json({"owner": self.owner}).encode())


def take_claim(
    store: Store, owner: str, *, report: Callable[[str], None] = lambda line: None
) -> Claim:
    """Take a run over; a Problem where a living trainer of another owner holds it.

    Where only time can tell whether that one lives, this is reported, and waited for.
    """
    while True:
        former = _highest(store.listed(CLAIMS))
        if former:
            _await_end(store, former, owner, report)
        number = int(former.partition("-")[0] or 0) + 1
        claim = Claim(store, owner, f"{number:08d}-{secrets.token_hex(4)}")
        claim.renew()
        names = _names(store.listed(CLAIMS))
        if names[-1] == claim.name:
            for name in names[:-1]:
                store.delete(_place(name))
            return claim
        store.delete(_place(claim.name))


def _await_end(store: Store, name: str, owner: str, report: Callable[[str], None]) -> None:
    """Return when the owner of a claim is gone, or has another one by now."""
    try:
        holder = str(json.loads(store.read(_place(name)))["owner"])
    except MissingError:  # who took it over has just put it away
        return
    lives = False if holder == owner else lives_here(holder)
    if lives is None:
        report(waits_for(holder))
        lives = _moves(store, name)
    if lives:
        raise taken(store.address, holder)


def _moves(store: Store, name: str) -> bool:
    """Is a claim written again within `SILENCE`, or another one made?"""
    first, end = store.listed(CLAIMS), time.monotonic() + SILENCE
    while time.monotonic() < end:
        time.sleep(LOOK)
        if store.listed(CLAIMS) != first:
            return True
    return False


def _names(listed: Iterable[str]) -> list[str]:
    """The names of all claims of a listing, the highest last."""
    return sorted(Path(name).stem for name in listed if name.startswith(f"{CLAIMS}/"))


def _highest(listed: Iterable[str]) -> str:
    return max(_names(listed), default="")


def _place(name: str) -> str:
    return f"{CLAIMS}/{name}.json"
