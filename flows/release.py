"""The outside world after the line: register, gate, promote, report. Each step may be repeated.

artifacts/ ─► version ─► verdict ─► champion, if it passed ─► report/report.html
"""

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.bill import Item
from pipeline.files import read_manifest
from pipeline.machine import Machine
from pipeline.outputs import Output, read_outputs
from pipeline.problems import Problem
from pipeline.records import Verdict, Version
from pipeline.registry.gate import Gate, judge, judged
from pipeline.registry.server import Registry, Server, connect
from pipeline.registry.verdicts import verdicts
from pipeline.settings import Settings, load

ARTIFACTS = Path("artifacts")
REPORT = Path("report/report.html")
GOOD = ("first", "passed")  # outcomes that promote


class Sections(Settings):
    """The sections of params.yaml that no stage reads."""

    registry: Registry
    gate: Gate


@dataclass(frozen=True, slots=True)
class Outside:
    """The registry, and the settings of what is done there. Paths are relative to the workspace."""

    server: Server
    gate: Gate
    machine: Machine

    def register(self, flow_run: str = "") -> Version:
        """The version of the package in artifacts/; made where this content has none."""
        from pipeline.registry.lineage import read_lineage
        from pipeline.registry.register import register

        _complete()
        lineage = read_lineage(Path(), flow_run)
        return register(self.server, ARTIFACTS, self.machine.folder, lineage)

    def registered(self) -> Version | None:
        """The version of the package in artifacts/, if that content is registered."""
        from pipeline.registry.versions import find

        return find(self.server, package_digest())

    def judge(self, version: Version) -> Verdict:
        """Hold a version against the champion; stored once."""
        return judge(self.server, self.gate, version, ARTIFACTS)

    def verdict_on(self, version: Version) -> Verdict | None:
        """The verdict against today's champion: asked where artifacts/ hold it, else as stored."""
        if not all((ARTIFACTS / name).is_dir() for name in ("package", "hypotheses", "scores")):
            return None
        if version.package_digest == package_digest():
            return self.judge(version)
        return judged(self.server, self.gate, version, ARTIFACTS)

    def settled(self) -> Version | None:
        """The version of what is in artifacts/, if it is registered and its verdict is acted on."""
        version = self.registered()
        if version is None:
            return None
        known = len(verdicts(self.server, version))
        verdict = self.judge(version)
        if verdict.outcome == "same":
            return version
        fresh = len(verdicts(self.server, version)) > known
        due = verdict.outcome in GOOD and not self._promoted(version)
        return None if fresh or due else version

    def promote(self, version: Version, verdict: Verdict) -> bool:
        """Make a version that passed the champion; once, so that a rollback is not undone."""
        from pipeline.registry.champion import promote
        from pipeline.registry.versions import CHAMPION, aliases

        if verdict.outcome not in GOOD:
            return False
        if not self._promoted(version):
            why = f"gate: {verdict.outcome}"
            promote(
                self.server, version, who=who(), why=why, verdict=verdict, expected=verdict.champion
            )
        return aliases(self.server).get(CHAMPION) == version.number

    def report(self, version: Version, verdict: Verdict, bill: Sequence[Item] = ()) -> Path:
        """Write the report page; a champion's has the verdict on which it was promoted."""
        from pipeline.registry.champion import promoted_on
        from pipeline.report.write import write_report

        if verdict.outcome == "same":
            verdict = promoted_on(self.server, version) or verdict
        write_report(
            REPORT,
            outs=ARTIFACTS,
            verdict=verdict,
            version=version,
            champion_hypotheses=self._champions_outputs(verdict),
            bill=[item.row() for item in bill],
        )
        return REPORT

    def _champions_outputs(self, verdict: Verdict) -> dict[str, list[Output]] | None:
        """The outputs of the champion that the verdict is about, unless it was deleted since."""
        from pipeline.registry.former import former_outputs
        from pipeline.registry.versions import every

        champions = [one for one in every(self.server) if one.number == verdict.champion]
        if not champions or verdict.champion == verdict.challenger:
            return None
        return former_outputs(self.server, champions[0], read_outputs(ARTIFACTS / "hypotheses"))

    def _promoted(self, version: Version) -> bool:
        from pipeline.registry.history import history

        return any(
            event.kind == "promote" and event.to_version == version.number
            for event in history(self.server)
        )


def outside(machine: Machine) -> Outside:
    """The registry that params.yaml and machine.yaml of the current folder name."""
    sections = load(Sections, Path("params.yaml"))
    return Outside(connect(sections.registry, machine), sections.gate, machine)


def package_digest() -> str:
    """The digest of the package in artifacts/."""
    _complete()
    return str(read_manifest(ARTIFACTS / "package")["package_digest"])


def who() -> str:
    """Who decides: the user's name, or number where a container knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _complete() -> None:
    if not (ARTIFACTS / "package").is_dir():
        raise Problem(
            "there is no package yet",
            where=str(ARTIFACTS / "package"),
            remedy="seqline run, or dvc pull",
        )
