"""What people and systems may ask scoring: customers, timelines, the catalogue of fields, the model, counts."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from nextwave_contracts.clock import Clock
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.fields import FIELDS
from nextwave_contracts.identifiers import INTERNAL, InvalidIdentifierError, parse
from nextwave_contracts.masking import mask_data, mask_snapshot
from nextwave_runtime.auth import Key, Keyring
from nextwave_runtime.database import Database
from nextwave_runtime.parameters import known_only
from nextwave_runtime.problem import Problem, install
from starlette.responses import Response

from nextwave_scoring import queries, threshold_store
from nextwave_scoring.api.analysis import Analysis
from nextwave_scoring.api.answer import json_response, uuid_of, wrong
from nextwave_scoring.api.reviews import Reviews
from nextwave_scoring.churn.meanings import REASONS
from nextwave_scoring.fold import Fold
from nextwave_scoring.instants import micros
from nextwave_scoring.registry.registry import Registry

READERS = ("viewer", "editor", "approver", "operator", "agent", "privacy")
PAGE_MAX = 200
Authorization = Annotated[str, Header(description="Bearer <API token>")]


class Answers:
    """The routes, over a database and the keys in force."""

    def __init__(self, database: Database, keyring: Keyring, fold: Fold, registry: Registry, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._analysis = Analysis(database, fold, registry, clock)
        self._reviews = Reviews(database)
        self._judge = fold.judge
        self._clock = clock

    def app(self) -> FastAPI:
        """The HTTP application."""
        app = FastAPI(title="Nextwave scoring", version="1", description="Who each customer is, how likely they are to leave, and why.")
        install(app)
        router = APIRouter(
            prefix="/v1", dependencies=[Depends(self.authenticate), Depends(known_only)]
        )  # in this order: strangers learn nothing
        router.get("/customers/{customer_id}", summary="One customer's profile as it is now")(self.customer)
        router.get("/customers", summary="The customer that an identifier means")(self.customer_named)
        router.get("/customers/{customer_id}/timeline", summary="Touchpoints and outcomes, the last received first")(self.timeline)
        router.get("/fields", summary="What rules may ask of a profile, and what reasons mean")(self.fields)
        router.get("/statistics", summary="Exact counts of customers and touchpoints")(self.statistics)
        self._analysis.add_to(router)
        self._reviews.add_to(router)
        app.include_router(router)
        return app

    async def authenticate(self, request: Request, authorization: Authorization = "") -> None:
        """Leaves the caller's key in the request's state. Raises a 401 or 403 `Problem`."""
        request.state.key = self._keyring.require(authorization, *READERS)

    async def customer(self, request: Request, customer_id: str) -> Response:
        """An absorbed customer's id answers with the customer it became part of."""
        return json_response(self._shown(request, await self._snapshot(uuid_of(customer_id))))

    async def customer_named(
        self, request: Request, identifier: Annotated[str, Query(description="kind:value, e.g. email:ann@example.com")]
    ) -> Response:
        """By any identifier."""
        try:
            name = parse(identifier)
        except InvalidIdentifierError as invalid:
            raise wrong("/query/identifier", str(invalid)) from invalid
        if name.startswith(INTERNAL):
            return json_response(self._shown(request, await self._snapshot(uuid_of(name.removeprefix(INTERNAL)))))
        async with self._database.transaction() as connection:
            customer_id = await queries.find_id(connection, name)
        if customer_id is None:
            raise Problem(404, "not-found", "no customer has this identifier")
        return json_response(self._shown(request, await self._snapshot(customer_id)))

    async def timeline(
        self,
        request: Request,
        customer_id: str,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        cursor: Annotated[str, Query(description="`next` of the page before")] = "",
    ) -> Response:
        """`at` is when it was received, by which it is in order; `occurred_at` when it happened. A merged customer's includes that of every
        customer absorbed. `next` is empty on the last page.
        """
        after = _place(cursor) if cursor else None
        async with self._database.transaction() as connection:
            found = await queries.find_customer(connection, uuid_of(customer_id))
            if found is None:
                raise Problem(404, "not-found", f"no customer has the id {customer_id}")
            lines = await queries.read_timeline(connection, found[0], after, limit + 1)
        page = lines[:limit]
        following = _cursor(page[-1]) if len(lines) > limit else ""
        if not _sees_addresses(request):
            page = [msgspec.structs.replace(line, data=mask_data(line.data)) for line in page]
        return json_response({"items": page, "next": following})

    async def fields(self) -> Response:
        """The catalogue that rules and templates are checked against, and what the reasons of a risk mean."""
        fields = [{"path": f.path, "type": f.type, "meaning": f.meaning, "values": f.values} for f in FIELDS]
        return json_response({"fields": fields, "reasons": REASONS})

    async def statistics(self) -> Response:
        """Counted in the transactions of the processor, so they are exact."""
        async with self._database.transaction() as connection:
            return json_response(await queries.count(connection))

    async def _snapshot(self, customer_id: str) -> Snapshot:
        async with self._database.transaction() as connection:
            found = await queries.find_customer(connection, customer_id)
            taken = await threshold_store.load_thresholds(connection)
        if found is None:
            raise Problem(404, "not-found", f"no customer has the id {customer_id}")
        name, customer = found
        return self._judge.snapshot(name, customer, self._judge.judge(customer, micros(self._clock.now()), taken))

    def _shown(self, request: Request, snapshot: Snapshot) -> Snapshot:
        return snapshot if _sees_addresses(request) else mask_snapshot(snapshot)


def _sees_addresses(request: Request) -> bool:
    key: Key = request.state.key
    return key.sees_addresses


def _cursor(line: queries.Line) -> str:
    place = queries.Place(line.at, line.occurred_at, line.source, line.id)
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _place(cursor: str) -> queries.Place:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=queries.Place)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as invalid:
        raise wrong("/query/cursor", "take the cursor from `next` of the page before") from invalid
