"""Where a cluster's machines, pods and services live."""

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from cluster.embedded.addresses import MAX_CLUSTERS, Addresses, free_index
from cluster.provider import MAX_NODES

indices = st.integers(0, MAX_CLUSTERS - 1)


@given(indices, indices)
def test_two_clusters_share_no_address(one: int, other: int) -> None:
    assert (one == other) == Addresses(one).network.overlaps(Addresses(other).network)


@given(indices)
def test_all_addresses_lie_in_the_clusters_network_and_pods_of_nodes_do_not_overlap(index: int) -> None:
    addresses = Addresses(index)
    ordinals = range(1, MAX_NODES + 1)
    pods = [IPv4Network(addresses.node_pods(ordinal)) for ordinal in ordinals]
    machines = [addresses.host, addresses.control, *map(addresses.node, ordinals)]
    assert len({IPv4Address(machine) for machine in machines}) == MAX_NODES + 2
    assert all(IPv4Address(machine) in addresses.network for machine in machines)
    assert all(network.subnet_of(IPv4Network(addresses.pods)) for network in pods)
    assert not any(one.overlaps(other) for one in pods for other in pods if one is not other)
    assert not IPv4Network(addresses.pods).overlaps(IPv4Network(addresses.services))


def test_the_kubernetes_service_has_the_first_service_address() -> None:
    addresses = Addresses(3)
    first = next(IPv4Network(addresses.services).hosts())
    assert addresses.kubernetes_service == str(first)


@given(indices)
def test_device_names_fit_into_the_kernels_fifteen_characters(index: int) -> None:
    assert max(len(Addresses(index).port(ordinal)) for ordinal in range(MAX_NODES + 1)) <= 15


def test_a_cluster_keeps_out_of_networks_that_the_machine_routes_to() -> None:
    routed = [IPv4Network("10.240.7.0/24"), IPv4Network("192.168.0.0/16")]
    assert free_index({1}, routed) == 2


def test_a_default_route_is_no_obstacle() -> None:
    assert free_index((), [IPv4Network("0.0.0.0/0")]) == 0


def test_no_index_is_left_when_all_are_taken() -> None:
    assert free_index(range(MAX_CLUSTERS), []) is None
