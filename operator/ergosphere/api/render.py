"""The CustomResourceDefinitions, rendered from the models: `python -m ergosphere.api.render DIRECTORY...`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ergosphere.api import checkpoint, service_tier, training_job
from ergosphere.api.definition import Column, Definition
from ergosphere.api.meta import GROUP, VERSION
from ergosphere.api.schema import structural

DEFINITIONS = (training_job.DEFINITION, checkpoint.DEFINITION, service_tier.DEFINITION)
_HEADER = "# Generated from operator/ergosphere/api by `make crds`.\n"


def files() -> dict[str, str]:
    """Return the text of each CustomResourceDefinition by the name of its file."""
    return {f"{d.name}.yaml": _HEADER + _yaml(definition(d)) for d in DEFINITIONS}


def definition(of: Definition) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": of.name},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if of.namespaced else "Cluster",
            "names": {
                "kind": of.kind,
                "listKind": f"{of.kind}List",
                "plural": of.plural,
                "singular": of.kind.lower(),
                "shortNames": list(of.short_names),
                "categories": list(of.categories),
            },
            "versions": [_version(of)],
        },
    }


def _version(of: Definition) -> dict[str, Any]:
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(c) for c in of.columns],
        "schema": {"openAPIV3Schema": structural(of.model)},
    }
    if of.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in of.selectable]
    if of.has_status:
        version["subresources"] = {"status": {}}
    return version


def _column(column: Column) -> dict[str, Any]:
    rendered = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }
    return rendered | ({"priority": 1} if column.wide else {})


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice twice: not every reader of YAML follows anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)


def main(*directories: str) -> None:
    """Write the definitions into each of the directories, and remove those of kinds that are no more."""
    rendered = files()
    for directory in directories:
        _write(Path(directory), rendered)


def _write(target: Path, rendered: Mapping[str, str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob(f"*.{GROUP}.yaml"):
        if old.name not in rendered:
            old.unlink()
    for name, text in rendered.items():
        (target / name).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
