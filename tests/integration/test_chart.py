"""The chart on a real API server: installed, upgraded, removed, and installed again."""

import json
import ssl
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from tests.integration.api import Api
from tests.integration.established import await_established
from tests.integration.helm import NAMESPACE, Helm
from tests.integration.resources import jobs, tier, training_job

from ergosphere.controller.config import read
from ergosphere.controller.tiers import parsed

SYSTEM = f"/api/v1/namespaces/{NAMESPACE}"
TIERS = "/apis/ergosphere.dev/v1alpha1/servicetiers"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def server(helm: Helm) -> Api:
    return helm.plane.api


@pytest.fixture
def installed(helm: Helm) -> str:
    return helm.install()


def secret(api: Api) -> dict[str, bytes]:
    data = api.get(f"{SYSTEM}/secrets/ergosphere-webhook").object["data"]
    return {name: b64decode(value) for name, value in data.items()}


def deployment(api: Api) -> dict[str, Any]:
    return api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/ergosphere").object


def checksum(deployed: dict[str, Any]) -> str:
    found: str = deployed["spec"]["template"]["metadata"]["annotations"]["checksum/webhook"]
    return found


def test_the_chart_is_sound(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.lint()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("store.hostPath=/a,store.claim=b", "store.hostPath and store.claim exclude each other"),
        ("leaseSeconds=0", "leaseSeconds"),
        ("store.url=ftp://host", "url"),
        ("store.cache.limitGiB=0", "limitGiB"),
        ("replica=2", "replica"),
        ("webhook.existingSecret=mine", "webhook.existingSecret needs webhook.caBundle"),
        ("webhook.caBundle=-----BEGIN", "caBundle"),
        ("tiers[0].name=gold,tiers[0].gpuFraction=2", "gpuFraction"),
        ("podDisruptionBudget.enabled=true", "podDisruptionBudget needs replicas of 2 or more"),
        ("networkPolicy.apiServerPorts[0]=0", "apiServerPorts"),
        ("networkPolicy.metricsFrom[0].pods=x", "metricsFrom"),
        ("monitoring.serviceMonitor.interval=often", "interval"),
        ("monitoring.rules.on=true", "rules"),
        ("resources.memory=1Gi", "resources"),
        ("tolerations[0].effect=No", "tolerations"),
        ("imagePullSecrets[0]=registry", "imagePullSecrets"),
        ("agent.imagePullSecrets[0]=registry", "imagePullSecrets"),
        ("agent.resources.memory=1Gi", "resources"),
        ("image.tag=a b", "tag"),
    ],
)
def test_wrong_values_are_refused(helm: Helm, values: str, said: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        helm.render("--set", values)
    assert said in refused.value.stderr


def test_a_bucket_comes_with_its_secrets_and_no_volume(helm: Helm) -> None:
    store = "url=s3://bucket/fleet,secret=credentials,keySecret=key,shareAcrossNamespaces=true"
    cache = "cache.hostPath=/var/cache/ergosphere,cache.limitGiB=16"
    values = ",".join(f"store.{value}" for value in f"{store},{cache}".split(","))
    rendered = helm.render("--set", values, "--show-only", "templates/deployment.yaml")
    (container,) = yaml.safe_load(rendered)["spec"]["template"]["spec"]["containers"]
    told = {v["name"]: v["value"] for v in container["env"] if v["name"].startswith("ERGO_STORE")}
    assert told == {
        "ERGO_STORE_URL": "s3://bucket/fleet",
        "ERGO_STORE_SECRET": "credentials",
        "ERGO_STORE_KEY_SECRET": "key",
        "ERGO_STORE_SHARED": "true",
        "ERGO_STORE_CACHE_HOSTPATH": "/var/cache/ergosphere",
        "ERGO_STORE_CACHE_GIB": "16",
    }


def test_the_operator_reads_what_the_chart_says_of_the_agent(helm: Helm) -> None:
    values = "imagePullSecrets[0].name=fleet,resources.limits.memory=512Mi,resources.limits.cpu=1"
    told = ",".join(f"agent.{value}" for value in values.split(","))
    rendered = helm.render("--set", told, "--show-only", "templates/deployment.yaml")
    (container,) = yaml.safe_load(rendered)["spec"]["template"]["spec"]["containers"]
    pods = read({v["name"]: v.get("value", "") for v in container["env"]}).pods
    assert pods.pull_secrets == ("fleet",)
    asked, most = {"cpu": "50m", "memory": "96Mi"}, {"cpu": 1, "memory": "512Mi"}
    assert pods.agent_resources == {"requests": asked, "limits": most}


def test_an_installation_offers_kinds_and_tells_the_operator_of_tiers(installed: str, server: Api) -> None:
    assert "ergo doctor" in installed
    await_established(server, "trainingjobs.ergosphere.dev")
    environment = deployment(server)["spec"]["template"]["spec"]["containers"][0]["env"]
    (told,) = (variable["value"] for variable in environment if variable["name"] == "ERGO_TIERS")
    found = {tier["metadata"]["name"]: tier["spec"].get("gpuFraction") for tier in parsed(told)}
    assert found == {"premium": "0.95", "standard": "0.70", "basic": None}


EVERYTHING = (
    "--set=replicas=2,podDisruptionBudget.enabled=true,networkPolicy.enabled=true,store.hostPath=,store.claim=c",
    "--set=monitoring.serviceMonitor.enabled=true,monitoring.rules.enabled=true,monitoring.dashboard.enabled=true",
    "--set=store.secret=s,imagePullSecrets[0].name=registry,podLabels.team=a,podAnnotations.a=b",
    "--set=nodeSelector.pool=system,tolerations[0].operator=Exists",
)


@pytest.mark.parametrize("values", [(), EVERYTHING, ("--set=webhook.enabled=false,userNamespaces=false",)])
@pytest.mark.usefixtures("installed")
def test_every_object_is_one_that_the_api_server_takes_to_the_letter(
    helm: Helm, values: tuple[str, ...], tmp_path: Path
) -> None:
    """Strict validation by the server itself: no field is unknown, none is twice there, none is wrong."""
    rendered = yaml.safe_load_all(helm.render(*values))
    path = tmp_path / "objects.yaml"
    # Kinds of the Prometheus operator are not served here: their shape is looked at in the unit tests.
    known = [obj for obj in rendered if obj and not obj["apiVersion"].startswith("monitoring.coreos.com/")]
    path.write_text(yaml.safe_dump_all(known))
    said = helm.plane.kubectl(
        *("apply", "-f", str(path), "--server-side", "--force-conflicts"),
        *("--dry-run=server", "--validate=strict", "--field-manager=helm"),
        check=False,
    )
    assert said.count("(server dry run)") == len(known), said


def test_replicas_keep_to_different_nodes_and_are_drained_one_at_a_time(helm: Helm) -> None:
    objects = {obj["kind"]: obj for obj in yaml.safe_load_all(helm.render(*EVERYTHING)) if obj}
    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    pod = objects["Deployment"]["spec"]["template"]
    (term,) = pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert (
        term["podAffinityTerm"]["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    )


def test_what_is_monitored_is_what_there_is(helm: Helm) -> None:
    objects = {obj["kind"]: obj for obj in yaml.safe_load_all(helm.render(*EVERYTHING)) if obj}
    monitor, service = objects["ServiceMonitor"]["spec"], objects["Service"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ports = {port["name"] for port in service["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["endpoints"]} <= ports
    assert objects["PrometheusRule"]["spec"]["groups"][0]["rules"][0]["alert"] == "ErgosphereHasNoLeader"
    assert json.loads(objects["ConfigMap"]["data"]["ergosphere.json"])["title"] == "Ergosphere"


@pytest.mark.usefixtures("installed")
def test_the_operator_is_as_restricted_as_a_pod_can_be(server: Api) -> None:
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    server.create("/api/v1/namespaces", {"metadata": {"name": "strict", "labels": label}})
    template = deployment(server)["spec"]["template"]
    created = server.create(
        "/api/v1/namespaces/strict/pods", {"metadata": {"name": "p"}, "spec": template["spec"]}
    )
    (container,) = created.object["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]


@pytest.mark.usefixtures("installed")
def test_the_webhook_is_called_by_a_name_that_its_certificate_has(server: Api) -> None:
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/ergosphere"
    hooks = server.get(path).object["webhooks"]
    made = secret(server)
    for hook in hooks:
        assert b64decode(hook["clientConfig"]["caBundle"]) == made["ca.crt"]
    service = hooks[0]["clientConfig"]["service"]
    leaf = x509.load_pem_x509_certificate(made["tls.crt"])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert f"{service['name']}.{service['namespace']}.svc" in names.get_values_for_type(x509.DNSName)
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(made["ca.crt"]))
    ssl.create_default_context(cadata=made["ca.crt"].decode())


@pytest.mark.usefixtures("installed")
def test_an_upgrade_keeps_the_certificate(helm: Helm, server: Api) -> None:
    before, pods = secret(server), checksum(deployment(server))
    helm.install("--set", "leaseSeconds=20")
    assert secret(server) == before
    assert checksum(deployment(server)) == pods
    environment = deployment(server)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "ERGO_LEASE_SECONDS", "value": "20"} in environment


@pytest.mark.usefixtures("installed")
def test_an_upgrade_that_finds_no_certificate_makes_one_and_the_pods_that_serve_it(
    helm: Helm, server: Api
) -> None:
    before, pods = secret(server), checksum(deployment(server))
    server.delete(f"{SYSTEM}/secrets/ergosphere-webhook")
    helm.install()
    assert secret(server)["ca.crt"] != before["ca.crt"]
    assert checksum(deployment(server)) != pods


def test_a_certificate_made_without_the_cluster_is_the_same_in_all_objects_and_comes_with_new_pods(
    helm: Helm,
) -> None:
    checksums = set()
    for _ in range(2):
        objects = {obj["kind"]: obj for obj in yaml.safe_load_all(helm.render()) if obj}
        bundles = {
            h["clientConfig"]["caBundle"] for h in objects["ValidatingWebhookConfiguration"]["webhooks"]
        }
        assert bundles == {objects["Secret"]["data"]["ca.crt"]}
        checksums.add(checksum(objects["Deployment"]))
    assert len(checksums) == 2


def test_a_certificate_of_the_administrators_is_served_and_none_is_made(helm: Helm) -> None:
    rendered = helm.render("--set", "webhook.existingSecret=mine,webhook.caBundle=QUJD")
    objects = {obj["kind"]: obj for obj in yaml.safe_load_all(rendered) if obj}
    assert "Secret" not in objects
    volumes = {v["name"]: v for v in objects["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["webhook"]["secret"]["secretName"] == "mine"
    hooks = objects["ValidatingWebhookConfiguration"]["webhooks"]
    assert {hook["clientConfig"]["caBundle"] for hook in hooks} == {"QUJD"}


@pytest.mark.usefixtures("installed")
def test_an_upgrade_upgrades_the_kinds(helm: Helm, server: Api) -> None:
    path = f"{CRDS}/trainingjobs.ergosphere.dev"
    current = server.get(path).object["spec"]["versions"]
    older = json.loads(json.dumps(current))
    del older[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["suspend"]
    server.merge(path, {"spec": {"versions": older}})
    helm.install("--force-conflicts")
    assert server.get(path).object["spec"]["versions"] == current


@pytest.mark.usefixtures("installed")
def test_without_its_operator_the_webhook_refuses_and_yet_lets_go(helm: Helm, server: Api) -> None:
    server.create("/api/v1/namespaces", {"metadata": {"name": "lab"}})
    helm.install("--set", "webhook.enabled=false")
    held = training_job()
    held["metadata"]["finalizers"] = ["ergosphere.dev/operator"]
    assert server.create(jobs("lab"), held).object
    helm.install("--set", "webhook.enabled=true")
    refusal = server.create(jobs("lab"), training_job(name="other"))
    assert "validate-trainingjob.ergosphere.dev" in refusal.body["message"]
    server.delete(f"{jobs('lab')}/digits")
    assert server.merge(f"{jobs('lab')}/digits", {"metadata": {"finalizers": []}}).object
    assert server.get(f"{jobs('lab')}/digits").status == 404


@pytest.mark.usefixtures("installed")
def test_a_removal_leaves_kinds_tiers_and_jobs_and_takes_the_rest(helm: Helm, server: Api) -> None:
    server.create("/api/v1/namespaces", {"metadata": {"name": "kept"}})
    helm.install("--set", "webhook.enabled=false")
    uid = server.create(jobs("kept"), training_job()).object["metadata"]["uid"]
    assert server.create(TIERS, tier("standard")).object
    helm("uninstall")
    assert server.get(f"{CRDS}/trainingjobs.ergosphere.dev").status == 200
    assert server.get(f"{jobs('kept')}/digits").object["metadata"]["uid"] == uid
    assert server.get(f"{TIERS}/standard").status == 200
    for gone in (f"{SYSTEM}/serviceaccounts/ergosphere", f"{SYSTEM}/secrets/ergosphere-webhook"):
        assert server.get(gone).status == 404
    helm.install()
    assert deployment(server)
    assert server.get(f"{jobs('kept')}/digits").object["metadata"]["uid"] == uid
