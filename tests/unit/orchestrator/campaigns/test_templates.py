"""Templates show what the catalogue of fields holds, escape it where it is HTML, and can neither run away nor ask for the time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from nextwave_contracts.customers import Churn, Orders, Snapshot
from nextwave_orchestrator.campaigns.definition import Template
from nextwave_orchestrator.templates import Templates, UnrenderableError, bare_outputs, template_faults

ANN = Snapshot(
    customer_id="c1",
    version=1,
    churn=Churn(risk=0.8, band="high", horizon_days=90, model="m"),
    orders=Orders(count=3, last_at=datetime(2026, 11, 2, tzinfo=UTC)),
    zones=("Europe/Berlin",),
    traits={"name": "Ann <b>", "evil": "a\r\nBcc: x@y.z", "list": [1, 2]},
)


def rendered(text: str = "x", **parts: Any) -> tuple[str, str, str]:
    template = Template(key="t", text=text, **parts)
    assert template_faults(template) == []
    return Templates([template])("t", ANN)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ churn.band }} {{ orders.count }} {{ stage }}", "high 3 exploration"),
        ("{{ satisfaction }}|{{ satisfaction | default: 'none' }}", "|none"),
        ("{{ orders.last_at | date: '%d.%m.%Y' }}", "02.11.2026"),
        ("{{ 'now' | date: '%Y' }}{{ 'today' | date: '%Y' }}", ""),
        ("{{ zones[0] }} {{ zones | size }} {% for z in zones %}{{ forloop.index }}{{ z }}{% endfor %}", "Europe/Berlin 1 1Europe/Berlin"),
        ("{% assign n = orders.count | plus: 1 %}{{ n }}", "4"),
        ("{% if traits.vip %}yes{% else %}no{% endif %}", "no"),
        ("{{ traits.name.__class__ }}{{ traits.name }}", "Ann <b>"),
    ],
)
def test_a_template_shows_the_profile(text: str, shown: str) -> None:
    assert rendered(text)[1] == shown


def test_html_is_escaped_and_text_is_not() -> None:
    assert rendered("{{ traits.name }}", html="<p>{{ traits.name }}</p>")[1:] == ("Ann <b>", "<p>Ann &lt;b&gt;</p>")


def test_a_subject_is_one_line_whatever_the_customer_is_called() -> None:
    assert rendered(subject="Hi {{ traits.evil }}")[0] == "Hi a Bcc: x@y.z"


FAULTS: list[tuple[dict[str, str], str]] = [
    ({"text": ""}, "/text"),
    ({"text": "{{ name }}"}, "/text"),
    ({"text": "x", "subject": "{{ churn.bnad }}"}, "/subject"),
    ({"text": "x", "html": "{{ now }}"}, "/html"),
    ({"text": "{{ traits[zones[0]] }}"}, "/text"),
    ({"text": "{% if %}"}, "/text"),
    ({"text": "{{ stage | nosuch }}"}, "/text"),
    ({"text": "x", "html": "{{ traits.name | safe }}"}, "/html"),
    ({"text": "{% include 'x' %}"}, "/text"),
    ({"text": "{% render 'x' %}"}, "/text"),
    ({"text": "{% if true %}" * 20 + "{% endif %}" * 20}, "/text"),
    ({"text": "x" * 100_001}, "/text"),
]


@pytest.mark.parametrize(("parts", "pointer"), FAULTS)
def test_a_wrong_template_is_refused_when_saved(parts: dict[str, str], pointer: str) -> None:
    faults = template_faults(Template(key="t", **parts))
    assert [f.pointer for f in faults] == [pointer]
    assert faults[0].fix


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in (1..2000) %}x{% endfor %}",
        "{% for a in (1..900) %}{% for b in (1..900) %}x{% endfor %}{% endfor %}",
        "{% assign s = 'xxxxxxxxxx' %}{% for a in (1..60) %}{% assign s = s | append: s %}{% endfor %}",
        "{{ stage | times: 3 | divided_by: 0 }}",
        "{% for a in (1..999) %}" + "{{ traits.name }}" * 50 + "{% endfor %}",
    ],
)
def test_a_template_that_runs_away_sends_nothing(text: str) -> None:
    with pytest.raises(UnrenderableError):
        Templates([Template(key="t", text=text)])("t", ANN)


def test_an_unknown_template_sends_nothing() -> None:
    with pytest.raises(KeyError):
        Templates([])("t", ANN)


def test_traits_without_a_default_are_found_wherever_they_stand() -> None:
    template = Template(
        key="t", subject="{{ traits.a }}", text="{% if stage %}{{ traits.b | upcase }}{% endif %}{{ traits.c | default: 'x' }}"
    )
    assert bare_outputs(template) == [("/subject", "traits.a"), ("/text", "traits.b")]
