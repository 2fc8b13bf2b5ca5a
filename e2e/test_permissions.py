"""The operator's rights, and what it did with them in all other tests, as the API server wrote it down."""

from datetime import datetime

import pytest

from cluster.__main__ import provider
from cluster.audit import OPERATOR
from scenario.extent import Extent, missing
from scenario.kubectl import Kubectl
from scenario.names import OPERATOR_NAMESPACE, OPERATOR_SELECTOR, RELEASE
from scenario.rights import Request, Right, forbidden, granted, requests, used

# Nothing is asked for with these: the admission plugin OwnerReferencesPermissionEnforcement, which is on in
# some clusters and not in those of the tests, looks for them when the operator names the owner of a pod.
NO_REQUESTS = {
    Right("", "ergosphere.dev", "trainingjobs/finalizers", "update"),
    Right("", "ergosphere.dev", "checkpoints/finalizers", "update"),
}


@pytest.fixture
def asked(kubectl: Kubectl, cluster: str) -> list[Request]:
    """Everything that the operator has asked for."""
    found = [request for request in requests(provider().audit_log(cluster)) if request.user == OPERATOR]
    assert found, "nothing is written down: was the cluster made before its API server kept an audit log?"
    return found


def test_the_operator_asked_for_nothing_that_it_may_not_do(kubectl: Kubectl, asked: list[Request]) -> None:
    sets = kubectl.list("replicasets", OPERATOR_NAMESPACE, selector=OPERATOR_SELECTOR)
    installed = max(datetime.fromisoformat(each["metadata"]["creationTimestamp"]) for each in sets)
    assert forbidden(asked, since=installed) == []


def test_the_operator_used_every_right_that_it_has(
    kubectl: Kubectl, asked: list[Request], extent: Extent
) -> None:
    if reason := missing(extent):
        pytest.skip(f"what was never used cannot be judged: {reason}")
    roles = [
        kubectl.get("clusterrole", RELEASE),
        kubectl.get("role", RELEASE, OPERATOR_NAMESPACE),
    ]
    rights = granted(*(role for role in roles if role))
    assert rights - NO_REQUESTS - used(rights, asked) == set()
    assert rights >= NO_REQUESTS
