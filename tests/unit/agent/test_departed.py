from ergosphere.agent.departed import adoption_script, carriers, foreign, refusal_script, severance_filter
from ergosphere.agent.namesake import namesake_script

LINKS = [
    {
        "ifname": "lo",
        "addr_info": [{"local": "127.0.0.1", "scope": "host"}, {"local": "10.1.0.7", "scope": "global"}],
    },
    {
        "ifname": "eth0",
        "addr_info": [{"local": "10.1.0.9", "scope": "global"}, {"local": "fd00::9", "scope": "global"}],
    },
]


def test_only_addresses_that_the_pod_does_not_have_of_its_own_are_foreign():
    found = foreign(["10.1.0.9", "10.1.0.8", "fd00::8", "fd00::9", "10.1.0.7"], LINKS)
    assert [str(a) for a in found] == ["10.1.0.7", "10.1.0.8", "fd00::8"]


def test_each_is_put_on_the_loopback_device_as_a_host():
    found = foreign(["10.1.0.8", "fd00::8"], LINKS)
    assert (
        adoption_script(found) == "address replace 10.1.0.8/32 dev lo\naddress replace fd00::8/128 dev lo\n"
    )


def test_what_leaves_the_pod_from_them_is_refused():
    script = refusal_script(foreign(["10.1.0.8", "fd00::8"], LINKS))
    assert "ip saddr 10.1.0.8 oifname != lo meta l4proto tcp reject with tcp reset\n" in script
    assert "ip6 saddr fd00::8 oifname != lo reject\n" in script


def test_connections_between_them_are_kept():
    chosen = severance_filter(foreign(["10.1.0.7", "10.1.0.8"], LINKS))
    assert chosen == "( src 10.1.0.7 or src 10.1.0.8 ) and not ( dst 10.1.0.7 or dst 10.1.0.8 )"


def test_whoever_has_one_of_them_now_goes_by_another_name_in_the_pod():
    script = namesake_script(foreign(["10.1.0.8", "fd00::8"], LINKS), carriers(LINKS))
    assert script.count('devices = { "eth0" } priority 0;') == 2
    assert "ip saddr 10.1.0.8 ip saddr set 198.18.0.1\n" in script
    assert "ip daddr 198.18.0.1 ip daddr set 10.1.0.8\n" in script
    assert "arp saddr ip 10.1.0.8 arp saddr ip set 198.18.0.1\n" in script
    assert "ip6 saddr fd00::8 ip6 saddr set 2001:2::2\n" in script
