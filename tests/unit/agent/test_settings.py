from pathlib import Path

import pytest

from ergosphere.agent.settings import InvalidSettings, Settings

ROOT = Path("/ergosphere")
SINGLE = {
    "ERGO_JOB": "team/train",
    "ERGO_JOB_UID": "0b1c",
    "ERGO_RANK": "0",
    "ERGO_WORLD": "1",
    "ERGO_INCARNATION": "3",
    "ERGO_STORE": "file:///ergosphere/store",
    "ERGO_RESTORE": "",
    "ERGO_POD_IP": "10.0.0.7",
    "ERGO_NODE": "node-1",
}
GANG = {**SINGLE, "ERGO_WORLD": "4", "ERGO_NETWORK_CIDR": "10.99.0.0/29", "ERGO_NETWORK_ID": "7"}


@pytest.mark.parametrize("environment", [SINGLE, GANG, {**SINGLE, "ERGO_POD_IP": "fd00::7"}])
def test_a_worker_s_environment_is_read(environment):
    settings = Settings.from_environment(environment, root=ROOT)
    assert settings.world == int(environment["ERGO_WORLD"])
    assert settings.checkpoint("c1") == "team/train/c1"
    assert settings.images == Path("/ergosphere/run/images")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ERGO_JOB": ""}, "ERGO_JOB"),
        ({"ERGO_JOB": "no-namespace"}, "ERGO_JOB"),
        ({"ERGO_JOB": "../etc"}, "ERGO_JOB"),
        ({"ERGO_RANK": "-1"}, "ERGO_RANK"),
        ({"ERGO_RANK": "1"}, "ERGO_RANK must be below ERGO_WORLD"),
        ({"ERGO_WORLD": "0"}, "ERGO_WORLD"),
        ({"ERGO_INCARNATION": "first"}, "ERGO_INCARNATION"),
        ({"ERGO_STORE": ""}, "ERGO_STORE"),
        ({"ERGO_POD_IP": "10.0.0.7; rm"}, "ERGO_POD_IP"),
        ({"ERGO_WORLD": "2"}, "ERGO_NETWORK_CIDR"),
        ({**GANG, "ERGO_WORLD": "7"}, "room for 7 ranks"),
        ({**GANG, "ERGO_NETWORK_ID": "16777216"}, "ERGO_NETWORK_ID"),
        ({**GANG, "ERGO_NETWORK_CIDR": "10.99.0.1/24"}, "ERGO_NETWORK_CIDR"),
    ],
)
def test_an_unusable_environment_is_refused_by_the_name_of_the_variable(change, named):
    with pytest.raises(InvalidSettings, match=named):
        Settings.from_environment({**SINGLE, **change}, root=ROOT)
