import ipaddress

import pytest

from ergosphere.agent.network import Addresses, adopted, device_script, is_locked, lock_script, peer_scripts

V4 = Addresses(ipaddress.ip_network("10.99.1.0/24"))
V6 = Addresses(ipaddress.ip_network("fd99::/64"))


def rule(chain: str, key: str, device: str = "ergo0", table: str = "ergosphere_lock") -> dict:
    match = {"op": "==", "left": {"meta": {"key": key}}, "right": device}
    return {"rule": {"table": table, "chain": chain, "expr": [{"match": match}, {"drop": None}]}}


BOTH = [rule("arriving", "iifname"), rule("leaving", "oifname")]


def test_each_rank_has_one_address_and_one_hardware_address():
    assert [str(V4.of(rank)) for rank in (0, 1, 252)] == ["10.99.1.1", "10.99.1.2", "10.99.1.253"]
    assert V4.hardware(0) == "02:ee:0a:63:01:01"
    assert len({V6.hardware(rank) for rank in range(1000)}) == 1000


def test_the_device_leaves_room_for_its_headers():
    assert "mtu 1450 " in device_script(V4, 0, 42, "10.0.0.1", "eth0", 1500)
    assert "mtu 1430 " in device_script(V4, 0, 42, "fd00::1", "eth0", 1500)


def test_peers_are_all_ranks_but_the_own_one():
    neighbours, forwarding = peer_scripts(V4, 1, {0: "10.0.0.1", 1: "10.0.0.2", 2: "10.0.0.3"})
    assert neighbours.splitlines() == [
        "neighbour replace 10.99.1.1 lladdr 02:ee:0a:63:01:01 dev ergo0 nud permanent",
        "neighbour replace 10.99.1.3 lladdr 02:ee:0a:63:01:03 dev ergo0 nud permanent",
    ]
    assert forwarding.splitlines()[1] == "fdb replace 02:ee:0a:63:01:03 dev ergo0 dst 10.0.0.3 self permanent"


@pytest.mark.parametrize("hostile", ["10.0.0.1 dev lo", "10.0.0.1\nlink delete eth0", "", "localhost"])
def test_a_peer_s_address_cannot_carry_anything_else(hostile):
    with pytest.raises(ValueError, match="does not appear to be"):
        peer_scripts(V4, 0, {0: "10.0.0.1", 1: hostile})


def test_the_lock_is_seen_only_when_both_of_its_rules_are_there():
    assert is_locked({"nftables": BOTH})
    assert not is_locked({"nftables": []})
    assert not is_locked({"nftables": BOTH[:1]})
    assert not is_locked({"nftables": [BOTH[0], rule("leaving", "oifname", device="eth0")]})
    assert not is_locked({"nftables": [BOTH[0], rule("leaving", "oifname", table="another")]})
    assert not is_locked({"nftables": [BOTH[0], {"rule": {**BOTH[1]["rule"], "expr": []}}]})


def test_the_lock_replaces_one_that_is_there_in_one_transaction():
    assert lock_script().splitlines()[:2] == [
        "add table inet ergosphere_lock",
        "delete table inet ergosphere_lock",
    ]


def test_a_peer_that_was_given_an_address_of_an_earlier_pod_goes_by_another():
    links = [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "scope": "host"}]},
        {"ifname": "eth0", "addr_info": [{"local": "10.0.0.9", "scope": "global"}]},
    ]
    assert adopted(links) == []
    links[0]["addr_info"].append({"local": "10.0.0.1", "scope": "global"})
    peers = {0: "10.0.0.1", 1: "10.0.0.9", 2: "10.0.0.3"}
    _, forwarding = peer_scripts(V4, 1, peers, adopted(links))
    assert "dst 198.18.0.1 self" in forwarding
    assert "dst 10.0.0.3 self" in forwarding
    assert "10.0.0.1" not in forwarding
