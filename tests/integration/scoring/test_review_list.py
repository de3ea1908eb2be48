"""The list of words that may be a refusal: what is on it, whose it is, who sees what of it, and how it gets shorter."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from nextwave_scoring.identity import derive
from nextwave_scoring.profile.matters import REVIEWS_MAX

from .desk import Desk, bearer, seen

PHONE, MAIL = "phone:+491711234567", "email:ann@example.com"
WORDS = "leave me alone, I am ann@example.com"


def asked(number: int, *names: str, kind: str = "sms.received") -> Any:
    channel = {"sms.received": "sms", "email.received": "email"}[kind]
    return seen(number, *names, kind=kind, body=WORDS, wish="review", review=f"{channel}-{number}")


def verdict(number: int, reference: str, *names: str, refused: bool = False) -> Any:
    return seen(number, *names, kind="refusal.reviewed", source="phones", reference=reference, refused=refused)


async def listed(client: httpx.AsyncClient, query: str = "", role: str = "agent") -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/reviews{query}", headers=bearer(role))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def references(client: httpx.AsyncClient, query: str = "") -> list[str]:
    return [item["reference"] for item in await listed(client, query)]


async def test_what_may_be_a_refusal_is_listed_with_its_customer_and_words_until_it_is_reviewed(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.work(asked(1, PHONE), asked(2, PHONE))
    [first, second] = await listed(client)
    assert (first["reference"], first["customer_id"], first["name"], first["channel"]) == ("sms-1", derive(PHONE), PHONE, "sms")
    assert (first["words"], first["type"], first["source"], first["id"]) == (WORDS, "sms.received", "shop/web", "t1")
    await desk.work(verdict(3, "sms-1", f"external:nextwave:{derive(PHONE)}", refused=True), partition=2)
    assert await references(client) == [second["reference"]]
    assert await desk.rows("select refused, reviewed_by, words from reviews where reference = 'sms-1'") == [(True, "phones", "")]


async def test_a_verdict_that_names_somebody_else_ends_nothing(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(asked(1, PHONE), seen(2, "email:bob@example.com"))
    [updated] = await desk.work(verdict(3, "sms-1", "email:bob@example.com"))
    assert await references(client) == ["sms-1"]
    assert updated.profile.reviews == ()


async def test_a_verdict_that_is_read_first_leaves_nothing_to_review(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(verdict(3, "sms-1", PHONE))
    await desk.work(asked(1, PHONE), partition=1)
    assert await references(client) == []


async def test_what_is_told_again_after_its_verdict_is_on_the_list_as_long_as_it_holds(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(asked(1, PHONE), verdict(3, "sms-1", PHONE))
    [updated] = await desk.work(seen(9, PHONE, kind="sms.received", body=WORDS, wish="review", review="sms-1"))
    assert [review.reference for review in updated.profile.reviews] == ["sms-1"]
    assert [item["words"] for item in await listed(client)] == [WORDS]
    [updated] = await desk.work(verdict(10, "sms-1", PHONE))
    assert (await references(client), updated.profile.reviews) == ([], ())


async def test_however_many_wait_each_is_listed_until_its_own_verdict(desk: Desk, client: httpx.AsyncClient) -> None:
    count = REVIEWS_MAX + 5
    await desk.work(*(asked(number, PHONE) for number in range(count)))
    assert await references(client, "?limit=100") == [f"sms-{number}" for number in range(count)]
    await desk.work(verdict(100, "sms-0", PHONE))
    assert await references(client, "?limit=100") == [f"sms-{number}" for number in range(1, count)]
    [*_, updated] = await desk.work(*(verdict(100 + number, f"sms-{number}", PHONE) for number in range(1, count)))
    assert (await references(client), updated.profile.reviews) == ([], ())


async def test_the_list_can_be_asked_of_one_customer_who_has_become_part_of_another(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(asked(1, PHONE), asked(2, MAIL, kind="email.received"), asked(3, "email:bob@example.com", kind="email.received"))
    [*_, updated] = await desk.work(seen(4, PHONE, MAIL))
    customer = updated.customer_id
    assert {item["customer_id"] for item in await listed(client)} == {customer, derive("email:bob@example.com")}
    for known in (derive(PHONE), derive(MAIL)):
        assert await references(client, f"?customer={known}") == ["sms-1", "email-2"]
    assert {review.reference: review.channel for review in updated.profile.reviews} == {"sms-1": "sms", "email-2": "email"}


async def test_pages_follow_each_other_oldest_first(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(*(asked(number, PHONE) for number in range(1, 6)))
    found: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/v1/reviews?limit=2&cursor={cursor}", headers=bearer("agent"))).json()
        found += [item["reference"] for item in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert found == [f"sms-{number}" for number in range(1, 6)]
    wrong = await client.get("/v1/reviews?cursor=x", headers=bearer("agent"))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/query/cursor")
    assert (await client.get(f"/v1/reviews?customer={derive('x')}", headers=bearer("agent"))).status_code == 404


@pytest.mark.parametrize(
    ("role", "words", "name"),
    [
        ("agent", WORDS, PHONE),
        ("operator", "leave me alone, I am •••", "phone:•••"),
        ("viewer", "•••", "phone:•••"),
    ],
)
async def test_words_are_shown_to_who_has_to_judge_them(desk: Desk, client: httpx.AsyncClient, role: str, words: str, name: str) -> None:
    await desk.work(asked(1, PHONE))
    [item] = await listed(client, role=role)
    assert (item["words"], item["name"]) == (words, name)


async def test_a_parameter_that_the_list_does_not_know_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/reviews?custommer=x&words=1", headers=bearer("agent"))
    assert answer.status_code == 422
    assert [(wrong["pointer"], wrong["detail"].partition("; ")[2]) for wrong in answer.json()["errors"]] == [
        ("/query/custommer", "did you mean customer?"),
        ("/query/words", "use cursor, customer, limit"),
    ]


async def test_nobody_without_a_token_reads_it(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/reviews")).status_code == 401
    assert (await client.get("/v1/reviews", headers=bearer("shop"))).status_code == 401
