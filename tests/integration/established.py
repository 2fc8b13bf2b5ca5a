"""Waiting until the API server serves a kind."""

import time

from tests.integration.api import Api

_SECONDS = 60


def await_established(api: Api, name: str) -> dict[str, str]:
    """Return the conditions of a CustomResourceDefinition once it is Established; raises TimeoutError."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}").object
        conditions = {c["type"]: c["status"] for c in found.get("status", {}).get("conditions") or []}
        if conditions.get("Established") == "True" and _served(api, found):
            return conditions
        time.sleep(0.05)
    raise TimeoutError(f"{name} is not established: {found.get('status')}")


def _served(api: Api, definition: dict) -> bool:
    spec = definition["spec"]
    path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
    return api.get(path).status == 200
