"""A worker as a pod: what the user wrote stays, what Ergosphere needs is added."""

from dataclasses import replace

import pytest

from ergosphere.api.training_job import TrainingJob
from ergosphere.workload.affinity import pinned_to, refusal
from ergosphere.workload.names import pod_name, stem
from ergosphere.workload.network import identifier
from ergosphere.workload.pod import Worker, worker_pod
from ergosphere.workload.settings import PodSettings, StoreVolume
from ergosphere.workload.support import agent_secret

SETTINGS = PodSettings("agent:1", "file:///ergosphere/store", StoreVolume(host_path="/var/lib/store"))
USER_NAMESPACE_OFF = PodSettings("agent:1", "s3://bucket", None, "credentials", user_namespaces=False)


def job(workers=1, pod=None, status=None, cooperative=None, **container):
    main = {"name": "main", "image": "train:1", "command": ["python3"], "args": ["train.py"], **container}
    spec = {"containers": [main, {"name": "log", "image": "log:1"}], **(pod or {})}
    body = {
        "metadata": {"name": "j", "namespace": "ns", "uid": "0123456789"},
        "spec": {
            "template": {"metadata": {"labels": {"team": "a"}}, "spec": spec},
            "container": "main",
            "workers": workers,
        },
        "status": status or {},
    }
    if cooperative:
        body["spec"]["checkpoint"] = {"mode": "Cooperative", "cooperative": cooperative}
    return TrainingJob.parse(body)


def built(worker=None, settings=SETTINGS, **kwargs):
    return worker_pod(job(**kwargs), worker or Worker(0, kwargs.get("workers", 1), 1, "n1"), settings)


def container(pod, name):
    spec = pod["spec"]
    return next(c for c in [*spec["initContainers"], *spec["containers"]] if c["name"] == name)


def test_the_users_command_runs_under_the_launcher_and_nothing_else_changes():
    main = container(built(workingDir="/w", env=[{"name": "A", "value": "1"}]), "main")
    assert main["command"][:2] == ["/ergosphere/bin/launcher", "run"]
    assert main["command"][-2:] == ["--", "python3"]
    assert main["args"] == ["train.py"]
    assert (main["image"], main["workingDir"]) == ("train:1", "/w")
    assert main["env"][-1] == {"name": "A", "value": "1"}


def test_the_launcher_leaves_its_word_where_it_is_looked_for():
    own = {"terminationMessagePath": "/tmp/m", "terminationMessagePolicy": "FallbackToLogsOnError"}
    main = container(built(**own), "main")
    assert main["terminationMessagePath"] == "/dev/termination-log"
    assert main["terminationMessagePolicy"] == "File"


@pytest.mark.parametrize(
    ("volume", "path"),
    [
        ("ergosphere-run", "/x"),
        ("own", "ergosphere/bin/launcher"),
        ("own", "/x/../ergosphere/bin"),
        ("own", "//ergosphere"),
        ("own", "/./ergosphere/run"),
    ],
)
def test_a_job_from_before_it_was_refused_mounts_nothing_that_is_ergospheres(volume, path):
    permitted = {"name": "own", "mountPath": "data/../ergosphere-not"}
    mounts = [{"name": volume, "mountPath": path}, permitted]
    first = {"name": "first", "image": "first:1", "volumeMounts": mounts}
    pod = built(pod={"initContainers": [first]}, volumeMounts=mounts)
    assert container(pod, "first")["volumeMounts"] == [permitted]
    assert container(pod, "main")["volumeMounts"][0] == permitted


def test_the_other_containers_stay_as_they_are():
    assert container(built(), "log") == {"name": "log", "image": "log:1"}


def test_the_pod_has_no_privilege_on_its_node_and_no_token():
    spec = built()["spec"]
    assert spec["hostUsers"] is False
    assert spec["automountServiceAccountToken"] is False
    for c in (*spec["initContainers"], *spec["containers"]):
        assert not (c.get("securityContext") or {}).get("privileged")


def test_clusters_without_user_namespaces_are_an_administrators_choice():
    spec = built(settings=USER_NAMESPACE_OFF)["spec"]
    assert "hostUsers" not in spec


def test_only_the_agent_sees_the_store_its_credentials_and_its_key():
    for settings in (SETTINGS, USER_NAMESPACE_OFF):
        main = container(built(settings=settings), "main")
        assert {m["name"] for m in main["volumeMounts"]} == {
            "ergosphere-bin",
            "ergosphere-run",
            "ergosphere-probe",
        }
        assert "envFrom" not in main
    assert container(built(settings=USER_NAMESPACE_OFF), "ergosphere-agent")["envFrom"] == [
        {"secretRef": {"name": "credentials"}}
    ]


def test_the_image_is_asked_for_its_user_on_a_first_start_only():
    pod = built()
    assert [c["name"] for c in pod["spec"]["initContainers"]] == ["ergosphere-agent", "ergosphere-probe"]
    assert container(pod, "main")["command"][2:4] == [
        "--user-file",
        container(pod, "ergosphere-probe")["command"][2],
    ]
    restored = built(Worker(0, 1, 2, "n2", "ns/j/c"))
    assert [c["name"] for c in restored["spec"]["initContainers"]] == ["ergosphere-agent"]


def test_a_user_that_the_template_names_keeps_the_groups_of_volumes_and_image():
    """Of runAsUser, the launcher's arguments had the user alone: no fsGroup, no group of the image."""
    own = {"runAsUser": 1000, "runAsGroup": 100, "readOnlyRootFilesystem": True}
    pod = built(pod={"securityContext": {"fsGroup": 1000, "supplementalGroups": [27]}}, securityContext=own)
    security = container(pod, "ergosphere-probe")["securityContext"]
    assert own.items() <= security.items()
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod["spec"]["securityContext"] == {"fsGroup": 1000, "supplementalGroups": [27]}
    main = container(pod, "main")
    assert "--user" not in main["command"]
    assert main["securityContext"]["runAsUser"] == 0


def test_a_home_that_the_template_sets_is_the_one_that_is_found():
    settings = [{"configMapRef": {"name": "settings"}}]
    pod = built(env=[{"name": "HOME", "value": "/data/$(RANK)"}], envFrom=settings)
    probe, main = container(pod, "ergosphere-probe"), container(pod, "main")
    assert probe["env"] == main["env"]
    assert probe["envFrom"] == settings


def test_files_in_an_empty_dir_move_with_the_program_and_other_volumes_stay():
    volumes = [
        {"name": "scratch", "emptyDir": {}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
    ]
    mounts = [{"name": "scratch", "mountPath": "/scratch"}, {"name": "data", "mountPath": "/data"}]
    command = container(built(pod={"volumes": volumes}, volumeMounts=mounts), "main")["command"]
    assert [command[i + 1] for i, word in enumerate(command) if word == "--carry"] == ["/scratch"]


def test_an_empty_dir_that_another_container_fills_is_filled_again_where_the_program_goes_on():
    fill = {"name": "fill", "image": "fill:1", "volumeMounts": [{"name": "weights", "mountPath": "/w"}]}
    own = {"volumes": [{"name": "weights", "emptyDir": {}}], "initContainers": [fill]}
    mounts = [{"name": "weights", "mountPath": "/weights", "readOnly": True}]
    pod = built(Worker(0, 1, 2, "n2", "ns/j/c"), pod=own, volumeMounts=mounts)
    assert pod["spec"]["initContainers"][-1] == fill
    # The launcher leaves it alone, and has to know it for that: older images hold its files.
    assert "/weights" in container(pod, "main")["command"]


def test_a_moved_job_keeps_the_image_that_it_was_started_with():
    pod = built(status={"images": {"main": "train@sha256:abc"}})
    assert container(pod, "main")["image"] == "train@sha256:abc"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_agent_has_the_few_capabilities_it_uses(workers):
    capabilities = container(built(workers=workers), "ergosphere-agent")["securityContext"]["capabilities"]
    assert capabilities == {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_ADMIN"]}


def test_every_alternative_of_the_users_affinity_is_narrowed_to_the_node():
    term = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
    other = {"matchExpressions": [{"key": "b", "operator": "Exists"}]}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    own = {"nodeAffinity": {required: {"nodeSelectorTerms": [term, other]}}, "podAffinity": {"x": 1}}
    result = pinned_to("n1", own)
    assert result["podAffinity"] == {"x": 1}
    terms = result["nodeAffinity"][required]["nodeSelectorTerms"]
    assert [t["matchExpressions"] for t in terms] == [term["matchExpressions"], other["matchExpressions"]]
    assert all(t["matchFields"][0]["values"] == ["n1"] for t in terms)


@pytest.mark.parametrize(
    ("spec", "labels", "taints", "word"),
    [
        ({}, {}, [], None),
        ({"nodeSelector": {"gpu": "h100"}}, {"gpu": "a100"}, [], "nodeSelector"),
        ({}, {}, [{"key": "own", "effect": "NoSchedule"}], "taint own"),
        ({"tolerations": [{"operator": "Exists"}]}, {}, [{"key": "own", "effect": "NoSchedule"}], None),
        (
            {"tolerations": [{"key": "own", "value": "b"}]},
            {},
            [{"key": "own", "value": "a", "effect": "NoSchedule"}],
            "taint own",
        ),
        ({}, {}, [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}], None),
        ({}, {}, [{"key": "own", "effect": "PreferNoSchedule"}], None),
    ],
)
def test_a_node_takes_a_pod_or_says_why_not(spec, labels, taints, word):
    why = refusal(spec, labels, taints)
    assert (why is None) if word is None else (why and word in why)


@pytest.mark.parametrize("name", ["a", "a" * 46, "a" * 47, "b" * 63, "c." * 100 + "d"])
def test_names_fit_a_host_name_whatever_the_jobs_name(name):
    assert len(pod_name(name, 99999, 4095)) <= 63
    assert stem(name) == name or len(stem(name)) <= 46


def test_long_names_that_begin_alike_stay_apart():
    assert stem("a" * 60 + "1") != stem("a" * 60 + "2")


def variables(pod, name="main"):
    return {v["name"]: v.get("value") for v in container(pod, name)["env"]}


def test_a_gang_gets_what_torchrun_sets_and_names_for_its_ranks():
    pod = built(Worker(2, 4, 1, "n1"), workers=4)
    main = variables(pod)
    assert (main["RANK"], main["WORLD_SIZE"], main["MASTER_ADDR"]) == ("2", "4", "100.64.0.1")
    assert main["NCCL_SOCKET_IFNAME"] == main["GLOO_SOCKET_IFNAME"] == "ergo0"
    torchrun = {name: value for name, value in main.items() if name.startswith("PET_")}
    assert torchrun == {
        "PET_NNODES": "4",
        "PET_NODE_RANK": "2",
        "PET_NPROC_PER_NODE": "1",
        "PET_MASTER_ADDR": "100.64.0.1",
        "PET_MASTER_PORT": "29500",
    }
    assert (main["LOCAL_RANK"], main["LOCAL_WORLD_SIZE"]) == ("0", "1")
    assert pod["spec"]["hostAliases"][2] == {"ip": "100.64.0.3", "hostnames": ["j-2"]}
    assert variables(pod, "ergosphere-agent")["ERGO_NETWORK_CIDR"] == "100.64.0.0/16"


def test_torchrun_starts_a_process_for_each_gpu_of_a_worker():
    pod = built(resources={"limits": {"nvidia.com/gpu": 2}})
    assert variables(pod)["PET_NPROC_PER_NODE"] == "2"
    assert variables(pod)["NODE_RANK"] == "0"
    assert not {"LOCAL_RANK", "LOCAL_WORLD_SIZE"} & variables(pod).keys()


def test_a_new_authority_s_certificate_is_in_a_secret_of_its_own():
    for authority in ("0a1b2c3d", "4e5f6a7b"):
        pod = built(settings=replace(SETTINGS, authority=authority))
        (tls,) = [v for v in pod["spec"]["volumes"] if v["name"] == "ergosphere-tls"]
        assert tls["secret"]["secretName"].endswith(f"-agent-{authority}")
        assert agent_secret(job(), authority, {})["metadata"]["name"] == tls["secret"]["secretName"]


def test_a_rank_keeps_its_host_name_wherever_it_goes():
    names = {built(Worker(2, 4, n, "n1"), workers=4)["spec"]["hostname"] for n in (1, 2)}
    assert names == {"j-r2"}


def test_a_single_worker_has_no_network_to_pay_for():
    pod = built()
    assert not {"GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"} & variables(pod).keys()
    assert "ERGO_NETWORK_CIDR" not in variables(pod, "ergosphere-agent")
    assert variables(pod)["MASTER_ADDR"] == "127.0.0.1"


def test_what_the_user_set_wins():
    main = container(built(workers=2, env=[{"name": "MASTER_PORT", "value": "1"}]), "main")
    assert [v["value"] for v in main["env"] if v["name"] == "MASTER_PORT"] == ["1"]


def test_jobs_have_networks_of_their_own():
    assert identifier("a") != identifier("b")
    assert 0 < identifier("a") < 1 << 24


SAVES = {"directory": "/state/", "signal": "SIGUSR2", "gracePeriodSeconds": 60}


def test_a_program_that_saves_its_own_state_is_asked_as_its_job_says():
    pod = built(cooperative=SAVES)
    command = container(pod, "main")["command"]
    options = ["--save-in", "/state", "--save-signal", "12", "--save-within", "60"]
    at = command.index("--save-in")
    assert command[at : at + 8] == [*options, "--no-aslr=false", "--must-save"]
    assert variables(pod, "ergosphere-agent")["ERGO_MODE"] == "Cooperative"


def test_a_program_that_is_never_frozen_runs_with_few_capabilities_and_its_own_seccomp_profile():
    own = {"seccompProfile": {"type": "RuntimeDefault"}}
    security = container(built(cooperative=SAVES, securityContext=own), "main")["securityContext"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"SYS_ADMIN", "NET_ADMIN", "CHECKPOINT_RESTORE"} & {*security["capabilities"]["add"]}
    frozen = container(built(securityContext=own), "main")["securityContext"]
    assert frozen["seccompProfile"] == {"type": "Unconfined"}
    assert "CHECKPOINT_RESTORE" in frozen["capabilities"]["add"]


def test_in_a_gang_only_the_first_worker_must_have_saved_something():
    first, second = (built(Worker(rank, 2, 1, "n1"), cooperative=SAVES) for rank in range(2))
    assert {"--must-save", "--gang"} <= {*container(first, "main")["command"]}
    assert {"--must-save", "--gang"} & {*container(second, "main")["command"]} == {"--gang"}
    assert "--gang" not in container(built(cooperative=SAVES), "main")["command"]


def test_a_program_that_saves_its_own_state_starts_as_the_images_user_also_when_it_goes_on():
    assert container(built(Worker(0, 1, 2, "n1", "ns/j/c"), cooperative=SAVES), "ergosphere-probe")


def test_a_deleted_pod_has_time_to_save_unless_the_template_says_how_long_that_may_take():
    assert built(cooperative=SAVES)["spec"]["terminationGracePeriodSeconds"] == 90
    own = built(cooperative=SAVES, pod={"terminationGracePeriodSeconds": 5})
    assert own["spec"]["terminationGracePeriodSeconds"] == 5
    assert "terminationGracePeriodSeconds" not in built()["spec"]


def test_the_number_of_workers_is_that_of_the_incarnation_and_not_of_the_spec():
    pod = built(Worker(0, 3, 2, "n1"), workers=2, cooperative=SAVES)
    assert variables(pod)["WORLD_SIZE"] == variables(pod, "ergosphere-agent")["ERGO_WORLD"] == "3"
    assert len(pod["spec"]["hostAliases"]) == 3
    single = built(Worker(0, 1, 3, "n1"), workers=2, cooperative=SAVES)
    assert "hostAliases" not in single["spec"]


def test_the_agents_image_is_pulled_with_the_administrators_secrets_beside_the_users():
    settings = replace(SETTINGS, pull_secrets=("fleet", "shared"))
    own = {"imagePullSecrets": [{"name": "mine"}, {"name": "shared"}]}
    secrets = built(settings=settings, pod=own)["spec"]["imagePullSecrets"]
    assert [secret["name"] for secret in secrets] == ["mine", "shared", "fleet"]
    assert "imagePullSecrets" not in built()["spec"]


def test_where_a_quota_counts_limits_every_container_of_ergospheres_has_them():
    resources = {"requests": {"memory": "96Mi"}, "limits": {"cpu": 1, "memory": "512Mi"}}
    pod = built(settings=replace(SETTINGS, agent_resources=resources))
    for name in ("ergosphere-agent", "ergosphere-probe"):
        assert container(pod, name)["resources"] == resources
    assert container(built(), "ergosphere-probe")["resources"] == {
        "requests": {"cpu": "50m", "memory": "96Mi"}
    }
