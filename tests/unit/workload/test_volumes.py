"""Volumes that only some nodes have."""

from ergosphere.workload.volumes import bindings, elsewhere

POD = {
    "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "s", "emptyDir": {}}]
}
CLAIM = {"spec": {"volumeName": "pv-1"}}


def volume(*hosts):
    terms = [
        {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [host]}]}
        for host in hosts
    ]
    return {"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}}


def test_a_local_volume_binds_the_pod_to_its_node():
    bound = bindings(POD, {"data": CLAIM}, {"pv-1": volume("n1")})
    assert elsewhere(bound, {"kubernetes.io/hostname": "n1"}) is None
    assert elsewhere(bound, {"kubernetes.io/hostname": "n2"}) == "data"


def test_a_volume_of_several_nodes_can_follow_among_them():
    bound = bindings(POD, {"data": CLAIM}, {"pv-1": volume("n1", "n2")})
    assert elsewhere(bound, {"kubernetes.io/hostname": "n2"}) is None


def test_what_is_everywhere_or_not_bound_yet_binds_nothing():
    assert bindings(POD, {"data": CLAIM}, {"pv-1": {"spec": {"nfs": {}}}}) == ()
    assert bindings(POD, {"data": {"spec": {}}}, {}) == ()
    assert bindings(POD, {}, {}) == ()
    assert bindings({}, {"data": CLAIM}, {"pv-1": volume("n1")}) == ()
