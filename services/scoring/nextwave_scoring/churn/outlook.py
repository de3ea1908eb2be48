"""What every model of the churn risk gives: the risk as a function of time alone, until something happens, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from nextwave_contracts.customers import RiskReason

from nextwave_scoring.profile.record import Profile


class Outlook(Protocol):
    """One customer's risk, all but the silence judged as of the last touchpoint. Instants in microseconds."""

    def risk(self, at: int) -> float:
        """Probability in 0..1 of not coming back within the horizon; never falls while the silence lasts."""
        ...

    def explained(self, at: int) -> tuple[float, tuple[RiskReason, ...]]:
        """The risk with what makes it up, where everybody starts first; the contributions add up to the risk (within 1e-9)."""
        ...

    def risk_without(self, at: int) -> Mapping[str, float]:
        """By feature of the reasons the risk if it added nothing: lower when its contribution is positive."""
        ...


class Model(Protocol):
    """Something that judges a profile. Pure: the same profile and instant give the same risk."""

    @property
    def name(self) -> str:
        """`name@version`, as recorded with every risk; the shipped baseline's is `baseline-N`."""
        ...

    @property
    def horizon_days(self) -> int:
        """How far the risk looks ahead."""
        ...

    @property
    def asks(self) -> tuple[str, ...]:
        """The features that it looks at."""
        ...

    def outlook(self, profile: Profile) -> Outlook:
        """What the profile says of the days to come."""
        ...


class Models(Protocol):
    """The models in force at one time: one judges, others only say beside it what they would."""

    @property
    def live(self) -> Model: ...

    @property
    def shadows(self) -> tuple[Model, ...]: ...

    def judging(self, profile: Profile) -> Model:
        """Who judges this customer: the live model, or the baseline where that knows too few of the traits it asks for."""
        ...

    def beside(self, profile: Profile) -> tuple[Model, ...]:
        """The shadows that can say something of this customer."""
        ...


class ModelsInForce(Protocol):
    """Where the models in force are found; read once per judgement, since they may be swapped."""

    @property
    def current(self) -> Models: ...


@dataclass(frozen=True, slots=True)
class Only:
    """One model and no other, for ever."""

    live: Model
    shadows: tuple[Model, ...] = ()

    @property
    def current(self) -> Models:
        """Itself."""
        return self

    def judging(self, _profile: Profile) -> Model:
        """The one model."""
        return self.live

    def beside(self, _profile: Profile) -> tuple[Model, ...]:
        """All shadows."""
        return self.shadows
