"""Every example is accepted by the API server as it stands."""

from pathlib import Path

import pytest
import yaml
from tests.integration.api import Api

EXAMPLES = Path(__file__).parents[2] / "examples"
PLURALS = {"TrainingJob": "trainingjobs", "Checkpoint": "checkpoints"}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_is_accepted(api: Api, namespace: str, path: Path) -> None:
    for body in yaml.safe_load_all(path.read_text()):
        root = f"/apis/{body['apiVersion']}"
        if body["kind"] == "ServiceTier":
            collection = f"{root}/servicetiers"
        else:
            collection = f"{root}/namespaces/{namespace}/{PLURALS[body['kind']]}"
        assert api.create(collection, body).object
