"""Every pin in versions.toml agrees with the Go modules' own files."""

import re

import pytest

from cluster.versions import GoModule, read_versions

MODULES = list(read_versions().go.values())


@pytest.fixture(params=MODULES, ids=lambda module: module.name)
def module(request: pytest.FixtureRequest) -> GoModule:
    found: GoModule = request.param
    return found


def test_the_module_is_required_at_the_pinned_version(module: GoModule) -> None:
    text = (module.directory / "go.mod").read_text()
    assert re.search(
        rf"^(require|)\s*{re.escape(module.module)} {re.escape(module.version)}( //.*)?$", text, re.M
    )


def test_the_module_has_a_checksum(module: GoModule) -> None:
    sums = (module.directory / "go.sum").read_text()
    assert f"{module.module} {module.version} h1:" in sums


def test_every_program_is_a_tool_of_the_module(module: GoModule) -> None:
    text = (module.directory / "go.mod").read_text()
    for package in module.programs.values():
        assert re.search(rf"^(tool|)\s*{re.escape(package)}$", text, re.M), package


def test_the_variables_name_the_pinned_version(module: GoModule) -> None:
    versions = [value for name, value in module.variables.items() if name.lower().endswith("version")]
    assert all(value == module.version for value in versions)


def test_binaries_of_different_modules_have_different_homes() -> None:
    assert len({module.build_name() for module in MODULES}) == len(MODULES)
