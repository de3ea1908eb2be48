"""Templates show what the catalogue of fields holds, escape it where it is HTML, and can neither run away nor ask for the time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from nextwave_contracts.actions import Content
from nextwave_contracts.customers import Churn, Orders, Snapshot
from nextwave_orchestrator.campaigns.definition import Template, Variant
from nextwave_orchestrator.templates import Templates, UnrenderableError, bare_outputs, template_faults

ANN = Snapshot(
    customer_id="c1",
    version=1,
    churn=Churn(risk=0.8, band="high", horizon_days=90, model="m"),
    orders=Orders(count=3, last_at=datetime(2026, 11, 2, tzinfo=UTC)),
    zones=("Europe/Berlin",),
    traits={"name": "Ann <b>", "evil": "a\r\nBcc: x@y.z", "list": [1, 2]},
)


def rendered(text: str = "x", **parts: Any) -> Content:
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
    assert rendered(text).text == shown


def test_html_is_escaped_and_text_is_not() -> None:
    told = rendered("{{ traits.name }}", html="<p>{{ traits.name }}</p>")
    assert (told.text, told.html) == ("Ann <b>", "<p>Ann &lt;b&gt;</p>")


def test_a_subject_is_one_line_whatever_the_customer_is_called() -> None:
    assert rendered(subject="Hi {{ traits.evil }}").subject == "Hi a Bcc: x@y.z"


FAULTS: list[tuple[dict[str, Any], str]] = [
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
def test_a_wrong_template_is_refused_when_saved(parts: dict[str, Any], pointer: str) -> None:
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
        "{% for a in (1..900) %}" + "{{ stage }}" * 1_000 + "{% endfor %}",
        "{% assign s = '" + "a" * 20_000 + "' %}{{ s | split: '' | join: s | size }}",
        "{% assign s = '" + "a" * 20_000 + "' %}{{ s | replace: 'a', s | size }}",
        "{{ (1..100_000_000) | join: '' | size }}".replace("_", ""),
        "{% assign x = " + "9" * 4_000 + " %}{{ x | times: x | modulo: 7 }}",
        "{% assign x = 99 %}{{ x" + " | times: x" * 9_000 + " | modulo: 7 }}",
        "{{ '" + "".join(map(chr, range(1_000, 21_000))) + "' | split: '' | uniq | size }}",
        "{{ '" + "<" * 50_000 + ">' | strip_html | size }}",
        "{% assign s = '" + "a" * 1_000 + "' %}{% for a in (1..900) %}{{ s | upcase | size }}{% endfor %}",
    ],
)
def test_a_template_that_runs_away_sends_nothing(text: str) -> None:
    with pytest.raises(UnrenderableError):
        Templates([Template(key="t", text=text)])("t", ANN)


def test_what_mails_do_with_filters_and_loops_is_within_the_effort() -> None:
    rows = "{% for n in (1..100) %}<tr><td>{{ n | times: 3 }}</td><td>{{ traits.name | upcase | default: 'you' }}</td></tr>{% endfor %}"
    told = rendered("{{ zones | uniq | sort | join: ', ' }} {{ 'a-b' | replace: '-', ' ' | split: ' ' | join: '+' }}", html=rows * 3)
    assert told.text == "Europe/Berlin a+b"
    assert told.html.count("<tr>") == 300


def test_an_unknown_template_sends_nothing() -> None:
    with pytest.raises(KeyError):
        Templates([])("t", ANN)


def test_traits_without_a_default_are_found_wherever_they_stand() -> None:
    variant = Variant(subject="{{ traits.a }}", text="{% if stage %}{{ traits.b | upcase }}{% endif %}{{ traits.c | default: 'x' }}")
    assert bare_outputs(variant) == [("/subject", "traits.a"), ("/text", "traits.b")]


BARE: list[tuple[str, list[str]]] = [
    ("{{ contract_ends_at | date: '%d' }}", ["contract_ends_at"]),
    ("{{ satisfaction }}{{ churn.risk }}{{ orders.count }}{{ value.currency }}", ["satisfaction"]),
    ("{{ activity.web }}{{ entry.a.b }}", ["activity.web", "entry.a.b"]),
    ("{% echo traits.a %}{% liquid echo traits.b %}", ["traits.a", "traits.b"]),
    ("{{ 'Dear ' | append: traits.a }}", ["traits.a"]),
    ("{{ traits.a | append: '!' | default: 'you' }}", ["traits.a"]),
    ("{{ traits.a | default: traits.b }}", ["traits.b"]),
    ("{{ traits.a | default: traits.b | default: 'you' }}", []),
    ("{{ products | first | default: 'it' }}{{ products | size }}{{ products.size }}", []),
    ("{{ products | first }}", ["products"]),
    ("{% for p in products %}{{ p }}{% endfor %}", []),
    ("{% if products %}{{ products[0] }}{% endif %}", ["products"]),
    ("{% if products.size > 0 %}{{ products[0] }}{% endif %}{% if products.first %}{{ products.first }}{% endif %}", []),
    ("{% if traits.a %}{{ traits.a }}{% else %}{{ traits.a }}{% endif %}", ["traits.a"]),
    ("{% if traits.a and traits.b %}{{ traits.a }}{{ traits.b }}{% endif %}", []),
    ("{% if traits.a or traits.b %}{{ traits.a }}{% endif %}", ["traits.a"]),
    ("{% if stage %}{% elsif traits.a %}{{ traits.a }}{% endif %}", []),
    ("{% if traits.a == 'x' %}{{ traits.a }}{% endif %}{% if traits.b > 3 %}{{ traits.b }}{% endif %}", []),
    ("{% if traits.a != 'x' %}{{ traits.a }}{% endif %}", ["traits.a"]),
    ("{% if traits.a != blank %}{{ traits.a }}{% endif %}{% if traits.b == nil %}?{% else %}{{ traits.b }}{% endif %}", []),
    ("{% if traits.a == nil %}{{ traits.a }}{% endif %}", ["traits.a"]),
    ("{% unless traits.a %}{{ traits.a }}{% else %}{{ traits.a }}{% endunless %}", ["traits.a"]),
    ("{% unless traits.a == blank %}{{ traits.a }}{% endunless %}", []),
    ("{% case traits.a %}{% when 'x' %}{{ traits.a }}{% else %}{{ traits.a }}{% endcase %}", ["traits.a"]),
    ("{% assign n = traits.a %}{{ n }}{% assign m = traits.b | default: 'x' %}{{ m }}", ["traits.a"]),
    ("{% assign n = traits.a %}{% if n %}{{ n }}{{ traits.a }}{% endif %}", []),
    ("{% assign a = traits.address %}{{ a.city }}", ["traits.address.city"]),
    ("{% capture c %}{{ traits.a }}{% endcapture %}{{ c }}", ["traits.a"]),
]


@pytest.mark.parametrize(("text", "paths"), BARE)
def test_what_may_be_missing_needs_a_default_or_a_condition_that_it_is_there(text: str, paths: list[str]) -> None:
    assert template_faults(Template(key="t", text=text)) == []
    assert [path for _, path in bare_outputs(Variant(text=text))] == paths


def test_no_part_carries_control_characters_and_only_newlines_break_lines() -> None:
    evil = replace(ANN, traits={"name": "A\x00\x1b[31m\u2028B\r\nC\x85"})
    told = Templates([Template(key="t", subject="{{ traits.name }}", text="{{ traits.name }}", html="{{ traits.name }}")])("t", evil)
    assert (told.subject, told.text, told.html) == ("A[31m B C", "A[31m\nB\nC", "A[31m\nB\nC")


SPOKEN = Template(
    key="t",
    text="Hello",
    languages={"de": Variant(text="Hallo"), "de-AT": Variant(text="Servus"), "pt-BR": Variant(text="Oi")},
)


@pytest.mark.parametrize(
    ("language", "text", "told"),
    [
        ("", "Hello", ""),
        ("fr", "Hello", ""),
        ("de", "Hallo", "de"),
        ("DE-at", "Servus", "de-AT"),
        ("de_AT.UTF-8", "Servus", "de-AT"),
        ("de-CH-1996", "Hallo", "de"),
        ("d", "Hello", ""),
        ("deu", "Hello", ""),
    ],
)
def test_a_customer_is_spoken_to_in_their_language_else_in_its_base_else_in_the_default(language: str, text: str, told: str) -> None:
    content = Templates([SPOKEN])("t", replace(ANN, language=language))
    assert (content.text, content.language) == (text, told)


def test_nothing_of_the_default_stands_in_for_what_a_language_leaves_out() -> None:
    template = Template(key="t", subject="Hello", text="x", html="<p>", languages={"de": Variant(text="y")})
    told = Templates([template])("t", replace(ANN, language="de"))
    assert (told.subject, told.text, told.html) == ("", "y", "")


def test_a_language_that_fails_is_named() -> None:
    template = Template(key="t", text="x", languages={"de": Variant(text="{{ 1 | divided_by: 0 }}")})
    with pytest.raises(UnrenderableError, match=r"t \(de\): divided_by: can't divide by 0"):
        Templates([template])("t", replace(ANN, language="de"))


def test_what_a_language_shows_of_the_entry_is_remembered_too() -> None:
    template = Template(key="t", text="{{ entry.a }}", languages={"de": Variant(text="{{ entry.b }}")})
    assert Templates([template]).entry_fields("t") == {"a", "b"}


@pytest.mark.parametrize(
    ("languages", "pointers"),
    [
        ({"german": Variant(text="x")}, ["/languages/german"]),
        ({"de": Variant(text="x"), "DE": Variant(text="x")}, ["/languages/DE"]),
        ({"de": Variant(text=" ")}, ["/languages/de/text"]),
        ({"de": Variant(text="x", html="{{ nmae }}")}, ["/languages/de/html"]),
        ({f"de-{n:02}": Variant(text="x") for n in range(51)}, ["/languages"]),
    ],
)
def test_languages_are_checked_like_the_default(languages: dict[str, Variant], pointers: list[str]) -> None:
    assert [fault.pointer for fault in template_faults(Template(key="t", text="x", languages=languages))] == pointers
