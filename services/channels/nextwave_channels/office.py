"""What the routes for people work with."""

from __future__ import annotations

from dataclasses import dataclass

from nextwave_contracts.clock import Clock
from nextwave_contracts.identifiers import InvalidIdentifierError, blind, parse
from nextwave_runtime.auth import Keyring
from nextwave_runtime.database import Database
from nextwave_runtime.problem import FieldError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The database, business time, who may call, and the key of identifiers' hashes."""

    database: Database
    clock: Clock
    keyring: Keyring
    identifier_key: bytes
    partitions: int

    def subject(self, identifier: str) -> str:
        """The keyed hash of `kind:value`. Raises a 422 `Problem`."""
        try:
            return blind(parse(identifier), self.identifier_key)
        except InvalidIdentifierError as wrong:
            error = FieldError(pointer="/identifier", detail=str(wrong))
            raise Problem(422, "invalid-request", "the identifier cannot be read", errors=(error,)) from wrong
