"""The manifests of deploy/kubernetes: the API's schemas allow them, and their parts fit together.

The schemas come with kubernetes-validate, and `kubectl` renders without asking a cluster.
"""

import base64
import copy
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from test_configuration import OF_THE_SERVICE

from service.app import create_app
from service.metrics import Metrics
from service.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.37")
"""The oldest that the manifests are for, and the newest that there are schemas of."""

UNITS = {"mb": 2**20, "Mi": 2**20, "Gi": 2**30, "": 1}
NAME = {"app.kubernetes.io/name": "otoscope"}


def read(path):
    return yaml.safe_load((KUBERNETES / path).read_text(encoding="utf-8"))


def size_bytes(quantity):
    number, unit = re.fullmatch(r"(\d+)(\w*)", str(quantity)).groups()
    return int(number) * UNITS[unit]


def written():
    """All documents of the files that the kustomization lists."""
    return [
        document
        for path in read("kustomization.yaml")["resources"]
        if path.endswith(".yaml")
        for document in yaml.safe_load_all((KUBERNETES / path).read_text(encoding="utf-8"))
    ]


def only(documents, kind, name="otoscope"):
    [found] = [
        each for each in documents if (each["kind"], each["metadata"]["name"]) == (kind, name)
    ]
    return found


def pod_of(document):
    return document["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """What `kubectl apply --kustomize` would send, with secrets made as docs/kubernetes.md says."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on PATH: kubernetes.io/docs/tasks/tools says where it comes from")
    copied = tmp_path_factory.mktemp("repository")
    for folder in ("deploy/kubernetes", "docker/redis"):
        shutil.copytree(ROOT / folder, copied / folder, ignore=shutil.ignore_patterns("secrets"))
    secrets = copied / "deploy/kubernetes/secrets"
    subprocess.run([ROOT / "docker/make-secrets", secrets], check=True, capture_output=True)
    command = ["kubectl", "kustomize", copied / "deploy/kubernetes"]
    output = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return list(yaml.safe_load_all(output))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", written(), ids=lambda each: each["kind"])
def test_the_schema_allows_it(document, version):
    kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_allow_what_is_rendered(rendered):
    for document in rendered:
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)
    kinds = {each["kind"] for each in rendered}
    assert kinds == {each["kind"] for each in written()} | {"ConfigMap", "Secret"}


@pytest.mark.parametrize(
    "wrong", [{"replica": 2}, {"strategy": {"type": 1}}, {"selector": {}, "template": []}]
)
def test_a_mistake_is_noticed(wrong):
    document = copy.deepcopy(only(written(), "Deployment"))
    document["spec"] |= wrong
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


def named(value):
    """Every ConfigMap and Secret that a pod names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("configMap", "configMapRef"):
                yield "ConfigMap", inner["name"]
            elif key == "secret":
                yield "Secret", inner["secretName"]
            yield from named(inner)
    elif isinstance(value, list):
        for each in value:
            yield from named(each)


def test_everything_that_pods_name_is_there(rendered):
    there = {(each["kind"], each["metadata"]["name"]) for each in rendered}
    assert {each.get("metadata").get("namespace") for each in rendered} == {None, "otoscope"}
    for pod in (only(rendered, "Deployment"), only(rendered, "StatefulSet", "redis")):
        wanted = set(named(pod))
        assert {kind for kind, _ in wanted} == {"ConfigMap", "Secret"}
        assert wanted <= there


def test_the_service_starts_with_what_its_container_gets(rendered, monkeypatch, tmp_path):
    container = pod_of(only(rendered, "Deployment"))["containers"][0]
    [(_, settings)] = named(container["envFrom"])
    [secret] = [each for each in rendered if each["kind"] == "Secret"]
    variables = dict(only(rendered, "ConfigMap", settings)["data"])
    variables |= {each["name"]: each["value"] for each in container["env"]}
    assert variables.keys() <= OF_THE_SERVICE
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "secrets"]
    for name, value in variables.items():
        file = tmp_path / Path(value).name
        if name.endswith("_FILE"):
            assert Path(value).parent == Path(mount["mountPath"])
            file.write_bytes(base64.b64decode(secret["data"][file.name]))
        monkeypatch.setenv(name, str(file) if name.endswith("_FILE") else value)
    loaded = load_settings()
    assert len(loaded.api_keys) == 1
    service = only(rendered, "Service", "redis")
    assert loaded.redis_url == f"redis://redis:{service['spec']['ports'][0]['port']}/0"
    assert loaded.store_password is not None


def settings():
    text = (KUBERNETES / "settings.env").read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def test_selectors_and_ports_find_the_pods():
    documents = written()
    template = only(documents, "Deployment")["spec"]["template"]
    assert template["metadata"]["labels"] == NAME
    for kind, *path in (
        ("Deployment", "selector", "matchLabels"),
        ("Service", "selector"),
        ("PodDisruptionBudget", "selector", "matchLabels"),
        ("NetworkPolicy", "podSelector", "matchLabels"),
    ):
        found = only(documents, kind)["spec"]
        for key in path:
            found = found[key]
        assert found == NAME, kind
    ports = {"redis": 6379, "otoscope": 8000}
    for name, kind in (("otoscope", "Deployment"), ("redis", "StatefulSet")):
        [port] = pod_of(only(documents, kind, name))["containers"][0]["ports"]
        [of_service] = only(documents, "Service", name)["spec"]["ports"]
        [rule] = only(documents, "NetworkPolicy", name)["spec"]["ingress"]
        assert port["containerPort"] == ports[name]
        assert port["name"] == of_service["targetPort"] == rule["ports"][0]["port"]
    target = only(documents, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "otoscope")


def test_no_address_of_a_service_becomes_a_setting():
    """Kubernetes would set OTOSCOPE_PORT=tcp://... for a Service of that name."""
    assert pod_of(only(written(), "Deployment"))["enableServiceLinks"] is False


@pytest.mark.parametrize("name", ["otoscope", "redis"])
def test_pods_ask_for_no_rights(name):
    """Pod Security Standard `restricted`, and a file system that can't be written."""
    kind = "Deployment" if name == "otoscope" else "StatefulSet"
    pod = pod_of(only(written(), kind, name))
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_probes_ask_addresses_that_there_are():
    pod = pod_of(only(written(), "Deployment"))
    [container] = pod["containers"]
    paths = create_app(Settings()).openapi()["paths"]
    asked = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("readiness", "liveness")
    }
    assert asked == {"readiness": "/health/ready", "liveness": "/health/live"}
    assert set(asked.values()) <= paths.keys()
    grace_s = pod["terminationGracePeriodSeconds"]
    assert (
        grace_s > Settings().max_request_s + container["lifecycle"]["preStop"]["sleep"]["seconds"]
    )


def test_uploads_find_room():
    """As many of the largest as may be there at a time, from their first byte."""
    pod, chosen = pod_of(only(written(), "Deployment")), settings()
    [volume] = [each for each in pod["volumes"] if each["name"] == "uploads"]
    room, memory = (
        size_bytes(quantity)
        for quantity in (
            volume["emptyDir"]["sizeLimit"],
            pod["containers"][0]["resources"]["limits"]["memory"],
        )
    )
    at_a_time = int(chosen[f"{PREFIX}INFERENCE_THREADS"]) + int(chosen[f"{PREFIX}QUEUE_SIZE"])
    assert room >= int(chosen[f"{PREFIX}MAX_UPLOAD_BYTES"]) * at_a_time
    assert memory >= room + 2 * 2**30


def test_results_find_room_in_redis():
    pod, chosen = pod_of(only(written(), "StatefulSet", "redis")), settings()
    [container] = pod["containers"]
    [most] = [size_bytes(each["value"]) for each in container["env"] if each["name"] == "MAXMEMORY"]
    kept = int(chosen[f"{PREFIX}STORE_MAX_BYTES"])
    assert most >= 1.5 * kept
    assert size_bytes(container["resources"]["limits"]["memory"]) >= 2 * most
    assert int(chosen[f"{PREFIX}RESULT_MAX_BYTES"]) <= kept / 8


def test_the_autoscaler_goes_by_a_metric_that_the_service_tells():
    [rule] = read("prometheus/adapter-values.yaml")["rules"]["custom"]
    [wait] = [
        each["pods"]
        for each in only(written(), "HorizontalPodAutoscaler")["spec"]["metrics"]
        if each["type"] == "Pods"
    ]
    assert wait["metric"]["name"] == rule["name"]["as"]
    metrics = Metrics()
    metrics.add_wait("model", 0.1)
    families = text_string_to_metric_families(metrics.render("")[0].decode())
    told = {sample.name for family in families for sample in family.samples}
    asked = set(re.findall(r"otoscope_\w+", rule["metricsQuery"] + rule["seriesQuery"]))
    assert len(asked) == 2
    assert asked <= told
