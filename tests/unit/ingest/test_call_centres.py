"""Call centres post as they are: Amazon Connect, Genesys Cloud and Twilio Voice, from what they post to what scoring makes of it.

`samples` hold events as the platforms document them, told as the stories of single calls.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_ingest.doors import cloudevents_mapping
from nextwave_ingest.mappings.document import Document, read
from nextwave_ingest.mappings.library import Library, shipped
from nextwave_scoring.churn.features import features
from nextwave_scoring.instants import micros
from nextwave_scoring.profile import consents, matters
from nextwave_scoring.profile.record import Profile
from twilio.request_validator import RequestValidator
from unit.ingest.fakes import NOW, Stand, basic, stand
from unit.scoring.ledger import Ledger

SAMPLES = {path.stem: msgspec.json.decode(path.read_bytes()) for path in sorted((Path(__file__).parent / "samples").glob("*.json"))}
PHONE = "phone:+4930901820"
AMAZON, GENESYS, TWILIO = "amazon-connect", "genesys-cloud", "twilio-voice"
TOKEN = "twilio-auth-token"
PUBLIC = "https://in.example.com"
CODES = SAMPLES[GENESYS]["codes"]
OWN_CODES = read(
    msgspec.json.encode(
        {
            "name": "acme-genesys",
            "extends": GENESYS,
            "tables": {"wrapups": {CODES["complaint"]: {"complaint": True}, CODES["refused"]: {"refusal": True}}},
        }
    )
)
TOLD: dict[str, dict[str, list[str]]] = {
    AMAZON: {
        "answered, with a complaint": ["offered", "queued", "answered", "ended", "wrapped_up", "wrapped_up"],
        "abandoned": ["offered", "queued", "abandoned"],
        "let go by the flow": ["offered", "queued", "ended"],
        "called back": [],
        "served by the flow": ["offered", "ended"],
        "transferred, then abandoned": ["offered", "queued", "answered", "transferred", "ended", "abandoned"],
        "placed by us, refused": ["wrapped_up"],
        "placed by us, nothing of note": [],
        "withheld number, known to the CRM": ["offered", "ended"],
        "withheld number": ["offered", "ended"],
        "other channels": [],
        "of a later Amazon": [],
    },
    GENESYS: {
        "answered, with a complaint": ["offered", "queued", "answered", "ended", "wrapped_up"],
        "abandoned": ["offered", "queued", "abandoned", "ended"],
        "left the queue for the mailbox": ["offered", "ended"],
        "transferred": ["transferred"],
        "placed by us, refused": [],
        "placed by us, nothing of note": [],
        "withheld number, told to the flow": ["offered", "identified", "wrapped_up", "ended"],
        "other media": [],
        "of a later Genesys": [],
    },
    TWILIO: {
        "answered": ["answered", "offered", "ended"],
        "abandoned in the queue": ["abandoned", "offered", "ended"],
        "answered from the queue": ["answered", "offered", "ended"],
        "abandoned while it rang": ["abandoned", "offered", "ended"],
        "next phone after no answer": [],
        "over: no-answer": ["offered", "abandoned"],
        "over: canceled": ["offered", "abandoned"],
        "over: completed at once": ["offered", "abandoned"],
        "over: busy": ["offered", "ended"],
        "over: failed": ["offered", "ended"],
        "not over yet": [],
        "placed by us": [],
        "an agent in a browser": [],
        "withheld number": ["offered", "ended", "offered", "ended"],
    },
}
"""By platform and story, what follows the dot in the types of its touchpoints."""
STORIES = [(platform, story) for platform, stories in TOLD.items() for story in stories]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    documents, secrets = [*shipped(), OWN_CODES], {"callcentre": {"twilio": TOKEN}}
    return stand(tmp_path_factory.mktemp("centre"), documents=documents, source_secrets=secrets, ingest_url=PUBLIC)


@pytest.fixture
def centre(shared: Stand) -> Stand:
    shared.committer.records.clear()
    return shared


def events(platform: str, story: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = SAMPLES[platform]["stories"][story]
    return told


async def post(centre: Stand, mapping: str, *told: dict[str, Any]) -> list[Touchpoint]:
    """The touchpoints of these events, each posted by itself with the call centre's key."""
    before = len(centre.committer.touchpoints)
    async with centre.client() as client:
        for event in told:
            body = urlencode(event).encode() if mapping == TWILIO else msgspec.json.encode(event)
            answer = await client.post(f"/v1/inbound/callcentre/{mapping}", content=body, headers={"authorization": basic("wk_calls")})
            assert answer.is_success, answer.text
    assert centre.committer.rejected == []
    return centre.committer.touchpoints[before:]


def once(touchpoints: list[Touchpoint]) -> list[Touchpoint]:
    """As scoring takes them: the first of each source and id."""
    return list({(t.source, t.id): t for t in reversed(touchpoints)}.values())[::-1]


def folded(touchpoints: list[Touchpoint]) -> Ledger:
    ledger = Ledger()
    ledger.see(*once(touchpoints))
    return ledger


def stops(profile: Profile) -> tuple[Any, ...]:
    return matters.holds(profile.matters), consents.view(profile.consents)


def of(touchpoints: list[Touchpoint], kind: str) -> Touchpoint:
    (one,) = (t for t in once(touchpoints) if t.type == kind)
    return one


def test_every_sample_is_told() -> None:
    assert {platform: set(sample["stories"]) for platform, sample in SAMPLES.items()} == {p: set(stories) for p, stories in TOLD.items()}


@pytest.mark.parametrize(("platform", "story"), STORIES)
async def test_a_call_is_told_by_its_platform(centre: Stand, platform: str, story: str) -> None:
    seen = await post(centre, platform, *events(platform, story))
    assert [t.type.partition(".")[2] for t in seen] == TOLD[platform][story]
    assert {t.source for t in seen} <= {"callcentre"}
    assert all(t.data["call_id"] for t in seen)


@pytest.mark.parametrize(("platform", "story"), STORIES)
async def test_events_in_any_order_and_more_than_once_are_the_same_touchpoints_and_the_same_profile(
    centre: Stand, platform: str, story: str
) -> None:
    told = events(platform, story)
    usual = await post(centre, platform, *told)
    expected = {(t.id, t.type): t for t in once(usual)}
    names = {name for t in usual for name in t.identifiers}
    before = {name: stops(folded(usual).profile(name)) for name in names}
    chance = random.Random(story)
    for _ in range(2):
        mixed = told * 2
        chance.shuffle(mixed)
        seen = await post(centre, platform, *mixed)
        assert {(t.id, t.type): t for t in seen} == expected, "each event is the same touchpoint whenever it comes"
        ledger = folded(seen)
        assert {name: ledger.profile(name).counts for name in names} == {name: folded(usual).profile(name).counts for name in names}
        assert {name: stops(ledger.profile(name)) for name in names} == before


async def test_an_abandoned_call_raises_the_risk(centre: Stand) -> None:
    for platform, story in ((AMAZON, "abandoned"), (GENESYS, "abandoned"), (TWILIO, "abandoned in the queue"), (TWILIO, "over: canceled")):
        seen = await post(centre, platform, *events(platform, story))
        ledger = Ledger()
        messages = ledger.see(*seen)
        assert features(ledger.profile(PHONE), micros(NOW))["abandoned_calls"] > 0, (platform, story)
        assert "abandoned_calls" in {reason.feature for reason in messages[-1].profile.churn.reasons}


@pytest.mark.parametrize(("platform", "mapping"), [(AMAZON, AMAZON), (GENESYS, "acme-genesys")])
async def test_a_complaint_in_a_wrap_up_holds_at_the_door_and_in_the_profile(centre: Stand, platform: str, mapping: str) -> None:
    seen = await post(centre, mapping, *events(platform, "answered, with a complaint"))
    wrap_up = of(seen, "call.wrapped_up")
    assert wrap_up.data["complaint"] is True
    assert {(hold.id, hold.kind, hold.reference) for hold in centre.committer.holds} == {
        (f"{wrap_up.id}/complaint", "complaint", wrap_up.data["call_id"])
    }
    (held,) = matters.holds(folded(seen).profile(PHONE).matters)
    assert held.reference == wrap_up.data["call_id"]


async def test_the_wrap_up_is_told_also_when_completed_never_comes(centre: Stand) -> None:
    told = [event for event in events(AMAZON, "answered, with a complaint") if event["detail"]["eventType"] != "COMPLETED"]
    assert of(await post(centre, AMAZON, *told), "call.wrapped_up").data["wrap_up_code"] == "COMPLAINT"


@pytest.mark.parametrize(("platform", "mapping"), [(AMAZON, AMAZON), (GENESYS, "acme-genesys")])
async def test_of_a_call_that_the_company_placed_only_the_refusal_counts(centre: Stand, platform: str, mapping: str) -> None:
    (refused,) = once(await post(centre, mapping, *events(platform, "placed by us, refused")))
    assert (refused.type, refused.identifiers[0], refused.data["direction"]) == ("call.wrapped_up", PHONE, "outbound")
    assert [(hold.kind, hold.channel) for hold in centre.committer.holds] == [("opt_out", "call")]
    profile = folded([refused]).profile(PHONE)
    assert (profile.active_at, profile.refusals) == (0, 1)
    assert await post(centre, mapping, *events(platform, "placed by us, nothing of note")) == []


async def test_queue_wait_agent_and_times_are_the_calls_own(centre: Stand) -> None:
    amazon = await post(centre, AMAZON, *events(AMAZON, "answered, with a complaint"))
    genesys = await post(centre, GENESYS, *events(GENESYS, "answered, with a complaint"))
    twilio = await post(centre, TWILIO, *events(TWILIO, "answered from the queue"), *events(TWILIO, "abandoned in the queue"))
    assert [of(seen, "call.answered").data["wait_seconds"] for seen in (amazon, genesys, twilio)] == [45, 45.25, 42]
    assert of(twilio, "call.abandoned").data["wait_seconds"] == 85
    assert [of(seen, "call.ended").data["talk_seconds"] for seen in (amazon, genesys)] == [305, 300]
    assert of(amazon, "call.answered").data["agent"].endswith("agent/55c1a3de-1c70-4f0a-9d37-1d8f3c6f2b11")
    assert of(genesys, "call.answered").data["agent"] == events(GENESYS, "answered, with a complaint")[3]["detail"]["eventBody"]["userId"]
    assert [f"{of(seen, 'call.answered').occurred_at:%H:%M:%S}" for seen in (amazon, genesys)] == ["08:01:15", "08:01:05"]
    assert all("queue" in of(seen, "call.queued").data for seen in (amazon, genesys))
    assert {t.data["direction"] for seen in (amazon, genesys, twilio) for t in seen} == {"inbound"}


async def test_who_calls_with_a_withheld_number_is_a_customer_id_or_only_the_call(centre: Stand) -> None:
    known = await post(centre, AMAZON, *events(AMAZON, "withheld number, known to the CRM"))
    assert {t.identifiers[0] for t in known} == {"customer_id:42"}
    nobody = await post(centre, AMAZON, *events(AMAZON, "withheld number"))
    assert {name for t in nobody for name in t.identifiers} == {f"external:call:amazon-connect:{nobody[0].data['call_id']}"}
    withheld = await post(centre, TWILIO, *events(TWILIO, "withheld number"))
    assert all(name.startswith("external:call:twilio:CA") for t in withheld for name in t.identifiers), "no phone of a stranger"
    told = folded(await post(centre, GENESYS, *events(GENESYS, "withheld number, told to the flow")))
    assert len(told.unit.customers) == 1
    assert told.profile("customer_id:42").touchpoints == 4


async def test_a_phone_that_was_rung_for_the_caller_names_nobody_but_the_call(centre: Stand) -> None:
    seen = await post(centre, TWILIO, *events(TWILIO, "answered"))
    assert of(seen, "call.answered").identifiers == (f"external:call:twilio:{of(seen, 'call.ended').data['call_id']}",)
    ledger = folded(seen)
    assert (len(ledger.unit.customers), ledger.profile(PHONE).touchpoints) == (1, 3)


async def test_callbacks_are_taken_by_twilios_own_signature_and_answered_with_twiml(centre: Stand) -> None:
    form = events(TWILIO, "over: canceled")[0]
    path = "/v1/inbound/callcentre/twilio-voice"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    async with centre.client() as client:
        answer = await client.post(path, content=urlencode(form).encode(), headers=headers)
        wrong = await client.post(path, content=urlencode(form | {"From": "+493012345678"}).encode(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, "text/xml", "<Response/>")
    assert (wrong.status_code, len(centre.committer.touchpoints)) == (401, 2)


GUIDE = (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8").partition("\n## Call centres\n")[2]


def rows(header: str) -> list[list[str]]:
    """The cells of a table of the guide."""
    ((lines),) = re.findall(rf"^\| {re.escape(header)}.*\|\n\|[- |]+\|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines.splitlines()]


def test_the_guide_tells_the_codes_that_are_shipped_and_the_types_that_calls_become() -> None:
    by_name = {document.name: document for document in shipped()}
    codes = {code.strip("`"): msgspec.json.decode(means.strip("`")) for code, means in rows("code | means")}
    assert codes == by_name[AMAZON].tables["wrapups"]
    assert by_name[GENESYS].tables["wrapups"] == {}
    kept = {cells[4].strip("`"): cells[0].strip("`") for cells in rows("touchpoint | Amazon") if cells[4]}
    assert {sent: kind for sent, kind in kept.items() if sent != kind} == cloudevents_mapping.CALL_TYPES
    for place, name in enumerate((AMAZON, GENESYS, TWILIO), start=1):
        told = {cells[0].strip("`") for cells in rows("touchpoint | Amazon") if cells[place]}
        assert told == {rule.type for rule in by_name[name].touchpoints}, name


def test_the_guides_own_codes_lie_over_what_is_shipped() -> None:
    (written,) = re.findall(r"```yaml\n(name: acme-genesys.*?)```", GUIDE, re.DOTALL)
    extension = Library([*shipped(), read(written.encode())]).find("acme-genesys")
    assert extension is not None
    assert [entry for code in extension.document.tables["wrapups"].values() for entry in code] == [
        "complaint", "refusal", "reason_code", "satisfaction"
    ]  # fmt: skip


def test_the_mappings_say_what_was_read_and_what_is_from_memory() -> None:
    by_name: dict[str, Document] = {document.name: document for document in shipped()}
    assert all("From memory" in by_name[name].description for name in TOLD)
