"""The Kubernetes manifests: valid, locked down, consistent with the services' settings, and draining in time."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import kubernetes_validate
import pytest
from deploy.rendered import OVERLAYS, ROOT, SERVICES, Object, named, objects, of_kind, pod, secrets, variables
from nextwave_channels.push.sealing import sender
from nextwave_scoring.assessment import House
from nextwave_scoring.house import read_house

VERSION = "1.37"
PRE_STOP_SECONDS = 5
PLACED = {"NEXTWAVE_SECRETS_DIR", "NEXTWAVE_HOST", "NEXTWAVE_PORT"}
"""Variables that the image or the manifests use besides the settings of a service."""
JOB_ONLY = {"NEXTWAVE_REPLICATION", "NEXTWAVE_PARTITIONS"}
SECRETS = {
    "ingest": {"NEXTWAVE_IDENTIFIER_KEY", "NEXTWAVE_LINK_KEY"},
    "scoring": {"NEXTWAVE_IDENTIFIER_KEY", "NEXTWAVE_POSTGRES"},
    "orchestrator": {"NEXTWAVE_IDENTIFIER_KEY", "NEXTWAVE_POSTGRES"},
    "channels": {
        "NEXTWAVE_IDENTIFIER_KEY",
        "NEXTWAVE_LINK_KEY",
        "NEXTWAVE_POSTGRES",
        "NEXTWAVE_MAIL_CALLBACK_SECRET",
        "NEXTWAVE_TWILIO_TOKEN",
    },
}
"""What each service's Secret must hold, as the production overlay asks for it."""
LOCAL_SECRETS = {**SECRETS, "channels": SECRETS["channels"] | {"NEXTWAVE_WEBPUSH_KEY"}}
FILES = {"NEXTWAVE_PRICES_FILE", "NEXTWAVE_SMTP_CA_FILE"}
HEAD = (ROOT / "deploy" / "k8s" / "overlays" / "production" / "kustomization.yaml").read_text().partition("apiVersion")[0]

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)
each_service = pytest.mark.parametrize("service", SERVICES)


def workloads(overlay: str) -> list[Object]:
    return of_kind(overlay, "Deployment", "StatefulSet", "Job")


def container(item: Object, name: str = "service") -> Object:
    return next(part for part in pod(item)["containers"] if part["name"] == name)


def pod_secret(service: str) -> str:
    """The name of the Secret that the local overlay makes for a service."""
    volumes = pod(named("local", "Deployment", service))["volumes"]
    return next(str(volume["secret"]["secretName"]) for volume in volumes if volume["name"] == "secrets")


def given(overlay: str, service: str) -> set[str]:
    """Every setting that a service's container gets, from its variables, its config and the files of its Secret."""
    part = container(named(overlay, "Deployment", service))
    config = [named(overlay, "ConfigMap", source["configMapRef"]["name"])["data"] for source in part["envFrom"]]
    return {variable["name"] for variable in part["env"]} | set().union(*config) | SECRETS[service]


@each_overlay
def test_every_object_is_valid_without_unknown_fields(overlay: str) -> None:
    for item in objects(overlay):
        kubernetes_validate.validate(item, VERSION, strict=True)


@each_overlay
def test_everything_but_the_namespace_lives_in_it(overlay: str) -> None:
    assert {item["metadata"].get("namespace") for item in objects(overlay) if item["kind"] != "Namespace"} == {"nextwave"}


@each_overlay
def test_every_pod_satisfies_the_restricted_pod_security_standard(overlay: str) -> None:
    for item in workloads(overlay):
        spec = pod(item)
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for part in spec["containers"]:
            assert part["securityContext"]["allowPrivilegeEscalation"] is False
            assert part["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@each_overlay
def test_our_own_containers_have_a_read_only_file_system_and_limits_and_a_fixed_image(overlay: str) -> None:
    for item in workloads(overlay):
        for part in pod(item)["containers"]:
            assert part["resources"]["requests"].keys() == {"cpu", "memory"}
            assert part["resources"]["limits"]["memory"]
            assert ":" in part["image"]
            assert not part["image"].endswith(":latest")
            assert part["securityContext"].get("readOnlyRootFilesystem") or "nextwave" not in part["image"]


@each_overlay
@each_service
def test_a_service_gets_every_setting_it_needs_and_none_it_does_not_know(overlay: str, service: str) -> None:
    known = variables(service)
    required = {name for name, needed in known.items() if needed}
    assert required - given(overlay, service) == set()
    assert given(overlay, service) - set(known) - PLACED - JOB_ONLY == set()
    assert set(known) >= SECRETS[service]


@each_service
def test_the_local_overlay_brings_the_secrets_that_production_asks_for(service: str) -> None:
    volumes: dict[str, Any] = {volume["name"]: volume for volume in pod(named("local", "Deployment", service))["volumes"]}
    assert set(named("local", "Secret", volumes["secrets"]["secret"]["secretName"])["data"]) == LOCAL_SECRETS[service]
    assert set(named("local", "Secret", volumes["keys"]["secret"]["secretName"])["data"]) == {"keys.json"}


@each_service
def test_the_head_of_production_names_every_secret_that_a_service_may_have(service: str) -> None:
    assert secrets(service) - set(HEAD.split()) == set()


@each_overlay
def test_the_channels_find_the_files_of_their_settings_where_the_head_of_production_says(overlay: str) -> None:
    item = named(overlay, "Deployment", "channels")
    [volume] = [one for one in pod(item)["volumes"] if one["name"] == "files"]
    [mount] = [one for one in container(item)["volumeMounts"] if one["name"] == "files"]
    assert volume["configMap"] == {"name": "nextwave-channels-files", "optional": True}
    assert mount["readOnly"] is True
    told = dict(word.split("=") for word in HEAD.split() if "=" in word)
    assert {name: path.rpartition("/")[0] for name, path in told.items()} == dict.fromkeys(FILES, mount["mountPath"])
    assert set(variables("channels")) >= FILES


def test_a_cluster_with_the_simulator_sends_web_push_to_it_and_tells_pages_an_ingest_that_browsers_reach() -> None:
    told = named("local", "ConfigMap", container(named("local", "Deployment", "channels"))["envFrom"][1]["configMapRef"]["name"])["data"]
    assert told["NEXTWAVE_WEBPUSH_LOOPBACK"] == "true"
    assert told["NEXTWAVE_ONSITE_INGEST_URL"] == "http://127.0.0.1:7401"
    secret = named("local", "Secret", pod_secret("channels"))["data"]["NEXTWAVE_WEBPUSH_KEY"]
    assert sender(b64decode(secret).decode(), "mailto:local@nextwave.example").public


def test_production_holds_no_secret() -> None:
    assert of_kind("production", "Secret") == []


@each_overlay
@each_service
def test_a_service_is_probed_and_has_time_to_drain(overlay: str, service: str) -> None:
    item = named(overlay, "Deployment", service)
    part = container(item)
    config = named(overlay, "ConfigMap", part["envFrom"][0]["configMapRef"]["name"])["data"]
    assert part["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert part["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert part["lifecycle"]["preStop"] == {"sleep": {"seconds": PRE_STOP_SECONDS}}
    assert pod(item)["terminationGracePeriodSeconds"] > PRE_STOP_SECONDS + float(config["NEXTWAVE_DRAIN_SECONDS"])


@each_overlay
@each_service
def test_service_and_disruption_budget_select_the_pods_of_their_deployment(overlay: str, service: str) -> None:
    labels = named(overlay, "Deployment", service)["spec"]["template"]["metadata"]["labels"].items()
    assert named(overlay, "Service", service)["spec"]["selector"].items() <= labels
    assert named(overlay, "PodDisruptionBudget", service)["spec"]["selector"]["matchLabels"].items() <= labels
    assert pod(named(overlay, "Deployment", service))["serviceAccountName"] == service


@each_service
def test_replicas_in_production_are_spread_over_nodes_and_zones(service: str) -> None:
    constraints = pod(named("production", "Deployment", service))["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in constraints} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert named("production", "Deployment", service)["spec"]["replicas"] > 1


@each_overlay
def test_the_setup_jobs_can_be_applied_before_the_services(overlay: str) -> None:
    """Whatever a job refers to carries the labels by which it is applied together with the jobs."""
    jobs = of_kind(overlay, "Job")
    assert {item["metadata"]["name"] for item in jobs} == {"topics", "migrate-scoring", "migrate-orchestrator", "migrate-channels"}
    assert {item["metadata"]["labels"]["app.kubernetes.io/component"] for item in jobs} == {"setup"}
    for item in of_kind(overlay, "ConfigMap", "Secret", "StatefulSet", "Namespace"):
        assert item["metadata"]["labels"]["app.kubernetes.io/component"] == "config", item["metadata"]["name"]


def test_scoring_sees_the_models_and_the_house_file_that_its_settings_name() -> None:
    scoring = named("local", "Deployment", "scoring")
    settings = {one["name"]: one.get("value") for one in container(scoring)["env"]}
    mounts = {one["mountPath"]: one for one in container(scoring)["volumeMounts"]}
    volumes = {one["name"]: one for one in pod(scoring)["volumes"]}
    models = mounts[settings["NEXTWAVE_MODELS_FOLDER"]]
    assert models["readOnly"]
    assert named("local", "PersistentVolumeClaim", volumes[models["name"]]["persistentVolumeClaim"]["claimName"])
    folder, _, file = settings["NEXTWAVE_HOUSE_FILE"].rpartition("/")
    told = named("local", "ConfigMap", volumes[mounts[folder]["name"]]["configMap"]["name"])
    assert read_house(told["data"][file], House()) == House()
