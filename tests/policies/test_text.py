"""What no tracked file holds: addresses of package registries, and places on one machine."""

import re

# Written apart, so that this file does not hold them either.
REGISTRIES = re.compile(
    "|".join(["pypi" + r"\.org", "python" + r"hosted\.", "registry" + r"\.npm"])
)
PLACES = re.compile(r"(?<![\w.~/-])/" + r"(?:home|Users|root|work|mnt|media|opt|private)/")


def texts(root, tracked):
    for name in tracked:
        content = (root / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode()


def found(pattern, root, tracked):
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts(root, tracked)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_host_of_a_package_registry(root, tracked):
    assert found(REGISTRIES, root, tracked) == []


def test_no_file_names_a_place_on_one_machine(root, tracked):
    files = [name for name in tracked if not name.startswith("infra/")]  # paths inside images
    assert found(PLACES, root, files) == []


def test_text_files_are_utf8_with_lf_line_ends(root, tracked):
    bad = [name for name, text in texts(root, tracked) if "\r\n" in text]
    assert [name for name in bad if not name.startswith("tests/data/")] == []


def test_every_folder_of_code_is_a_package_that_is_listed(root, tracked):
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"])
    folders = {
        name.rsplit("/", 1)[0].replace("/", ".")
        for name in tracked
        if name.startswith(("pipeline/", "flows/")) and name.endswith(".py")
    }
    assert folders == listed


def test_no_module_is_called_utils_common_helpers_or_base(tracked):
    words = {"utils", "util", "common", "helpers", "base", "misc"}
    parts = {part.removesuffix(".py") for name in tracked for part in name.split("/")}
    assert parts & words == set()


def test_no_module_shadows_one_of_the_standard_library(tracked):
    import sys

    stems = {
        name.split("/")[-1].removesuffix(".py")
        for name in tracked
        if name.endswith(".py")
        and name.startswith(("pipeline/", "flows/"))
        and not name.startswith("flows/commands/")  # named as the commands are
    }
    assert stems & (set(sys.stdlib_module_names) - {"__init__", "__main__"}) == set()
