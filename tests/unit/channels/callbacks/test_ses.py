"""SES through SNS: signatures by a certificate made here, URLs that may be fetched, subscriptions, and what SES's events mean."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from nextwave_channels.callbacks.evidence import Posted, UnreadableError, WrongSignatureError
from nextwave_channels.callbacks.ses import may_fetch, of_notice, read_notice
from nextwave_channels.callbacks.sns import FAILED_MAX, FAILED_SECONDS, FETCHES_MAX, AwayError, Certificates, Ses
from nextwave_channels.http_port import Reply
from unit.channels.callbacks.amazon import CERTIFICATE_URL, NOW, SUBSCRIBE_URL, TOPIC, Web, certificate, notice, said
from unit.channels.callbacks.posting import post, read

DELIVERED = said({"eventType": "Delivery"})


def posted(message: dict[str, Any], wall: float = NOW.timestamp()) -> Posted:
    return post(json.dumps(message).encode(), wall)


def door(web: Web) -> Ses:
    return Ses(frozenset({TOPIC}), web)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Amazon SES"}])
def test_a_message_that_sns_signed_is_read_and_its_certificate_fetched_once(version: str, more: dict[str, str]) -> None:
    web = Web()
    message = notice(version=version, Message=DELIVERED["Message"], **more)
    one = door(web)
    for _ in range(2):
        (found,) = read(one, posted(message))
        assert found is not None
        assert (found.action_id, found.provider_id, found.kind) == ("a1", "ses-1", "delivered")
    assert web.fetched == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": "{}"},
        {"MessageId": "another"},
        {"Timestamp": "2026-03-02T12:00:01.000Z"},
        {"Type": "UnsubscribeConfirmation"},
        {"Signature": ""},
        {"Signature": "AAAA"},
        {"Signature": "ü"},
        {"SignatureVersion": "3"},
        {"Timestamp": "now"},
    ],
)
def test_a_message_changed_after_signing_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(WrongSignatureError):
        read(door(Web()), posted({**DELIVERED, **changes}))


@pytest.mark.parametrize("wall", [NOW.timestamp() - 86_401, NOW.timestamp() + 86_401])
def test_an_old_message_is_refused(wall: float) -> None:
    with pytest.raises(WrongSignatureError):
        read(door(Web()), posted(DELIVERED, wall))


def test_a_certificate_that_ended_or_is_none_proves_nothing() -> None:
    for body in (certificate(until=NOW - timedelta(days=1)), b"", b"-----BEGIN CERTIFICATE-----"):
        with pytest.raises(WrongSignatureError):
            read(door(Web({CERTIFICATE_URL: Reply(status=200, body=body)})), posted(DELIVERED))


@pytest.mark.parametrize("pages", [{}, {CERTIFICATE_URL: Reply(status=500)}])
def test_while_sns_cannot_be_asked_the_callback_is_to_come_again(pages: dict[str, Reply]) -> None:
    web = Web(pages)
    one = door(web)
    with pytest.raises(AwayError):
        read(one, posted(DELIVERED))
    web.pages[CERTIFICATE_URL] = Reply(status=200, body=certificate())
    with pytest.raises(AwayError):
        read(one, posted(DELIVERED, NOW.timestamp() + FAILED_SECONDS - 1))
    assert web.fetched == [CERTIFICATE_URL], "it is not asked for again so soon"
    assert read(one, posted(DELIVERED, NOW.timestamp() + FAILED_SECONDS))[0] is not None


def pem(number: int) -> str:
    return f"https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-{number}.pem"


@dataclass
class SlowWeb(Web):
    """What it fetches comes when `answers` is set."""

    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, url: str) -> Reply:
        self.fetched.append(url)
        await self.answers.wait()
        return self.pages.get(url, Reply(status=404))


async def test_a_known_certificate_waits_for_no_fetch_and_what_many_wait_for_is_fetched_once() -> None:
    web = SlowWeb()
    known = Certificates(web)
    web.answers.set()
    await known.get(CERTIFICATE_URL, 0.0)
    web.answers.clear()
    web.pages[pem(1)] = Reply(status=200, body=b"1")
    waiting = [asyncio.create_task(known.get(pem(1), 0.0)) for _ in range(3)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await known.get(CERTIFICATE_URL, 0.0) == web.pages[CERTIFICATE_URL].body
    web.answers.set()
    assert await asyncio.gather(*waiting) == [b"1"] * 3
    assert web.fetched == [CERTIFICATE_URL, pem(1)]


async def test_names_of_certificates_that_are_none_are_fetched_a_few_at_a_time_and_remembered_within_bounds() -> None:
    web = SlowWeb(pages={})
    known = Certificates(web)
    waiting = [asyncio.create_task(known.get(pem(n), 0.0)) for n in range(3 * FETCHES_MAX)]
    await asyncio.sleep(0)
    assert len(web.fetched) == FETCHES_MAX
    web.answers.set()
    assert all(isinstance(one, AwayError) for one in await asyncio.gather(*waiting, return_exceptions=True))
    names = [pem(n) for n in range(100, 101 + FAILED_MAX)]
    for name in names:
        with pytest.raises(AwayError):
            await known.get(name, 0.0)
    for name in names[-1], names[0]:
        with pytest.raises(AwayError):
            await known.get(name, 1.0)
    assert web.fetched.count(names[-1]) == 1
    assert web.fetched.count(names[0]) == 2, "the oldest was forgotten"


@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation"])
def test_another_topic_is_nobodys_and_nothing_is_fetched_for_it(kind: str) -> None:
    web = Web()
    with pytest.raises(WrongSignatureError):
        read(door(web), posted(notice(kind, TopicArn=TOPIC + "-of-mallory")))
    assert web.fetched == []


def test_a_subscription_of_our_topic_is_confirmed() -> None:
    web = Web()
    web.pages[SUBSCRIBE_URL] = Reply(status=200)
    assert read(door(web), posted(notice("SubscriptionConfirmation"))) == []
    assert web.fetched == [CERTIFICATE_URL, SUBSCRIBE_URL]
    assert read(door(web), posted(notice("UnsubscribeConfirmation"))) == []
    assert web.fetched.count(SUBSCRIBE_URL) == 1


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data", "https://evil.example/?Action=ConfirmSubscription", ""])
def test_a_subscription_is_confirmed_at_sns_only(url: str) -> None:
    web = Web()
    with pytest.raises(WrongSignatureError):
        read(door(web), posted(notice("SubscriptionConfirmation", SubscribeURL=url)))
    assert web.fetched == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com/../SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem#x",
        "https://sns.eu-central-1.amazonaws.com/bucket/mine.pem",
        "https://sns-eu-central-1-amazonaws.com/SimpleNotificationService-1.pem",
        "https://mallory.s3.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.s3.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com\\@evil.example/SimpleNotificationService-1.pem",
        "https://[::1]/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com.cn/SimpleNotificationService-1.pem",
        "https://[/SimpleNotificationService-1.pem",
        "file:///SimpleNotificationService-1.pem",
        "",
    ],
)
def test_a_certificate_is_fetched_from_the_topics_own_sns_and_nowhere_else(url: str) -> None:
    assert not may_fetch(url, "eu-central-1", certificate=True)


@pytest.mark.parametrize("topic", ["mails", "arn:aws:sqs:eu-central-1:123456789012:mails", TOPIC.replace("eu-central-1", "evil.example/")])
def test_a_topic_that_is_no_arn_is_refused_at_the_start(topic: str) -> None:
    with pytest.raises(ValueError, match="no ARN"):
        Ses(frozenset({topic}), Web())


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "ap-southeast-2", "cn-north-1"])
def test_every_region_of_amazon_has_its_sns(region: str) -> None:
    host = f"sns.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    assert may_fetch(f"https://{host}/SimpleNotificationService-0a.pem", region, certificate=True)
    assert may_fetch(f"https://{host}/?Action=ConfirmSubscription&Token=x", region, certificate=False)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"Type": "Other"}', b"\xff"])
def test_a_body_that_is_no_message_of_sns_is_told_so(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(door(Web()), post(body))


@pytest.mark.parametrize(
    ("event", "result"),
    [
        ({"eventType": "Send"}, ("accepted", "")),
        ({"notificationType": "Delivery"}, ("delivered", "")),
        ({"eventType": "DeliveryDelay"}, None),
        ({"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "General"}}, ("bounced", "closed")),
        (
            {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"status": "5.7.1"}]}},
            ("failed", ""),
        ),
        (
            {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "UnsubscribedRecipient"}},
            ("failed", "unsubscribed"),
        ),
        ({"eventType": "Bounce", "bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull"}}, ("failed", "")),
        ({"eventType": "Bounce", "bounce": {"bounceType": "Undetermined"}}, ("failed", "")),
        ({"eventType": "Bounce"}, ("failed", "")),
        ({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}}, ("refused", "complained")),
        ({"eventType": "Reject"}, ("failed", "")),
        ({"eventType": "Open"}, ("opened", "")),
        ({"eventType": "Click"}, ("clicked", "")),
        ({"eventType": "Subscription"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_an_event_means_what_stands_in_the_list(event: dict[str, Any], result: tuple[str, str] | None) -> None:
    (found,) = of_notice(read_notice(json.dumps(said(event)).encode()))
    assert ((found.kind, found.effect) if found else None) == result


def test_without_a_tag_the_mails_header_names_the_action() -> None:
    headers = [{"name": "Subject", "value": "Hi"}, {"name": "X-Nextwave-Action", "value": "a2"}]
    bounced = {"emailAddress": "ann@example.com", "status": "5.1.1"}
    event = {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [bounced]}}
    (found,) = of_notice(read_notice(json.dumps(said(event, tags={}, headers=headers)).encode()))
    assert found is not None
    assert (found.action_id, found.address) == ("a2", "ann@example.com")
