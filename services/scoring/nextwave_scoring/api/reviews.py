"""The list of words that may be a refusal, for those who review them; the verdict is a touchpoint (`refusal.reviewed`) at the doors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from nextwave_contracts.masking import MASK, in_words, mask_names
from nextwave_runtime.auth import Key
from nextwave_runtime.database import Database
from nextwave_runtime.problem import Problem
from starlette.responses import Response

from nextwave_scoring import queries, review_store
from nextwave_scoring.api.answer import json_response, uuid_of, wrong
from nextwave_scoring.review_store import Place, Review

PAGE_MAX = 200
REVIEWERS = frozenset({"agent", "operator"})
"""Roles whose write keys may give verdicts: who has to judge words is shown them."""


class Reviews:
    """The route, over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_to(self, router: APIRouter) -> None:
        """Mounts it."""
        summary = "Words that may be a refusal, and that nobody has read yet: oldest first"
        router.get("/reviews", summary=summary)(self.list)

    async def list(
        self,
        request: Request,
        customer: Annotated[str, Query(description="id of one customer; empty: all")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        cursor: Annotated[str, Query(description="`next` of the page before")] = "",
    ) -> Response:
        """`next` is empty on the last page."""
        after = _place(cursor) if cursor else None
        async with self._database.transaction() as connection:
            names: Sequence[str] | None = None
            if customer:
                found = await queries.find_customer(connection, uuid_of(customer))
                if found is None:
                    raise Problem(404, "not-found", f"no customer has the id {customer}")
                names = review_store.names_of(*found)
            waiting = await review_store.read(connection, names, after, limit + 1)
        page = waiting[:limit]
        following = _cursor(page[-1]) if len(waiting) > limit else ""
        return json_response({"items": [_shown(review, request.state.key) for review in page], "next": following})


def _shown(review: Review, key: Key) -> Review:
    """Who sees addresses is shown all of it; another reviewer the words without addresses; everybody else that there are words."""
    if key.sees_addresses:
        return review
    words = in_words(review.words, review_store.WORDS_MAX) if REVIEWERS.intersection(key.roles) else MASK
    return msgspec.structs.replace(review, name=mask_names([review.name])[0], words=words)


def _cursor(review: Review) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(Place(review.at, review.reference))).rstrip(b"=").decode()


def _place(cursor: str) -> Place:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Place)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as invalid:
        raise wrong("/query/cursor", "take the cursor from `next` of the page before") from invalid
