"""Every `seqline` and `dvc` command that README shows is run here, or where this file says."""

import re
import shlex
import shutil

import pytest
import yaml

from pipeline.corpora.selection import Corpora
from pipeline.settings import parse

ELSEWHERE = {'seqline schedule --cron "0 3 * * *"': "tests/system/test_schedule.py"}


def commands(text):
    """Commands in fences and in running text, without the words beside them."""
    parts = re.split(r"(?m)^```.*\n", text)  # text and fences in turn
    found = [re.split(r"\s{2,}", line)[0] for fence in parts[1::2] for line in fence.split("\n")]
    found += [word for running in parts[::2] for word in re.findall(r"`([^`\n]+)`", running)]
    return {command for command in found if re.match(r"(seqline|dvc) [a-z]", command)}


@pytest.fixture(scope="module")
def shown(root):
    return commands((root / "README.md").read_text())


@pytest.fixture(scope="module")
def workspace(made, tmp_path_factory):
    """A copy of the workspace after a run, which these tests change."""
    folder = tmp_path_factory.mktemp("readme") / "workspace"
    shutil.copytree(made, folder, symlinks=True)
    (folder / "letters.txt").write_text("Guten Morgen\n\nGute Nacht\n")
    (folder / "pairs.tsv").write_text("Guten Morgen\tGood morning\nGute Nacht\t\n")
    corpus = folder / "data/corpora/mine"
    corpus.mkdir(parents=True)
    (corpus / "news.de").write_text("Hallo\n")
    return folder


@pytest.fixture(scope="module")
def ran(workspace, call):
    """What each command printed, in an order in which each makes sense."""
    done = {}

    def run(command, **more):
        done[command] = call(workspace, *shlex.split(command), **more)

    run('seqline predict "Anna hat vor drei Wochen keinen Roman gelesen."')
    run("seqline predict --file letters.txt")
    run("seqline score --file pairs.tsv")
    for name in ("plan", "run", "data", "status", "register", "gate", "report"):
        run(f"seqline {name}")
    run("dvc repro")
    for command in ("metrics show", "metrics diff", "plots show"):
        run(f"dvc {command}")
    run("dvc remote add --default store s3://bucket/folder")
    (workspace.parent / "remote").mkdir()
    call(workspace, "dvc", "remote", "modify", "store", "url", str(workspace.parent / "remote"))
    run("dvc push")
    run("dvc pull")
    run("dvc add data/corpora/mine")
    run("seqline run -S decoding.search.beam_size=3")
    run('seqline predict --ensemble 1 --ensemble 2 "Guten Morgen"')
    run('seqline rollback --why "worse on dates"')
    run("seqline register")  # the challenger again
    run("seqline promote")
    run("seqline history")
    run("seqline start-from champion")
    call(workspace, "git", "checkout", "-q", "params.yaml")
    run("seqline use multi30k-de-en")
    run("seqline use sample-de-en")
    run("seqline gc", stdin="y\n")
    return done


@pytest.mark.system
def test_every_command_of_the_readme_was_run(ran, shown, root):
    assert shown - ran.keys() - ELSEWHERE.keys() == set()
    for command, path in ELSEWHERE.items():
        assert command in shown
        assert shlex.split(command)[1] in (root / path).read_text()


@pytest.mark.system
def test_nothing_is_run_that_the_readme_does_not_show(ran, shown):
    assert ran.keys() - shown == set()


@pytest.mark.system
def test_the_commands_say_what_the_readme_promises(ran, workspace):
    assert "nothing is stale" in ran["seqline run"]
    assert "beam_size" in ran["seqline run -S decoding.search.beam_size=3"]
    assert len(ran["seqline predict --file letters.txt"].splitlines()) == 4  # and with which model
    assert "EOS counts in n" in ran["seqline score --file pairs.tsv"]
    assert "sample-de-en" in ran["seqline register"]
    assert "worse on dates" in ran["seqline history"]
    assert (workspace / "report/report.html").is_file()
    assert (workspace / "data/corpora/mine.dvc").is_file()


def test_the_corpora_that_the_readme_names_are_valid(root):
    [block] = re.findall(r"(?ms)^```yaml\n(.*?)^```", (root / "README.md").read_text())
    corpora = parse(Corpora, yaml.safe_load(block)["corpora"], "README.md")
    assert [source.name for source in corpora.sources] == ["news", "talks"]


def test_places_that_the_readme_links_to_exist(root):
    for name in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        assert (root / name).exists(), name


def test_the_file_tree_of_the_readme_is_the_projects(root):
    text = (root / "README.md").read_text().split("## Files", 1)[1]
    tree = text.split("```")[1]
    folder, found = "", []
    for line in tree.strip("\n").splitlines():
        indent = len(line) - len(line.lstrip())
        names = re.findall(r"(?:^|\s{2,})([a-z_]+[./][a-z.*/]*)(?=\s{2,}|$)", line)
        found += [(folder if indent else "") + name for name in names]
        folder = folder if indent else names[0]
    assert len(found) > 25
    for path in found:
        assert list(root.glob(path.rstrip("/"))), path
