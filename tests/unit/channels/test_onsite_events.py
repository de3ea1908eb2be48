"""What an open page is told: words and web links, one line of JSON, nothing that could be markup or another event."""

from __future__ import annotations

import json

import pytest
from nextwave_channels.onsite import events
from nextwave_channels.onsite.routes import served_script
from nextwave_contracts.actions import Content


def told(content: Content) -> dict[str, object]:
    name, data, *rest = events.invitation("a-1", content).decode().split("\n")
    assert (name, rest) == ("id: a-1", ["", ""])
    read: dict[str, object] = json.loads(data.removeprefix("data: "))
    return read


def test_links_of_the_html_keep_their_labels_and_the_text_stays_as_it_is() -> None:
    page = '<p>Hi</p><a href="https://shop.example/chat?a=1&amp;b=2"><b>Chat</b>\n with us</a><a href="javascript:alert(1)">x</a><a>y</a>'
    said = told(Content(text="Hello\nAnn", subject="Need a hand?", html=page, language="de"))
    assert said == {
        "title": "Need a hand?",
        "text": "Hello\nAnn",
        "links": [{"url": "https://shop.example/chat?a=1&b=2", "label": "Chat with us"}],
        "language": "de",
    }


def test_addresses_in_a_text_without_html_become_links() -> None:
    said = told(Content(text="Chat with us: https://shop.example/chat."))
    assert (said["text"], said["links"]) == (
        "Chat with us: https://shop.example/chat.",
        [{"url": "https://shop.example/chat", "label": "shop.example/chat"}],
    )


@pytest.mark.parametrize("text", ["one\n\ndata: two", "id: x\r\n\r\nevent: y", "x\u2028</script><script>"])
def test_no_text_can_begin_another_event(text: str) -> None:
    assert told(Content(text=text))["text"] == text


def test_of_many_links_the_first_few_are_shown() -> None:
    page = "".join(f'<a href="https://shop.example/{n}">{n}</a>' for n in range(9))
    links = told(Content(text="", html=page))["links"]
    assert isinstance(links, list)
    assert len(links) == events.LINKS_MAX


def test_the_script_is_at_most_two_kilobytes_and_its_addresses_cannot_break_out_of_it() -> None:
    served = served_script("https://ingest.nextwave.example/some/where/below/")
    assert len(served) <= 2048
    assert b'"https://ingest.nextwave.example/some/where/below/v1/track"' in served
    assert b'"https://x.example/\\"+alert(1)+\\"/v1/track"' in served_script('https://x.example/"+alert(1)+"')
