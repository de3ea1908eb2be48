"""What a run showed, for people: which promises held, what happened when, how far behind, how fast; a Markdown page with a plot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from faults import plan
from faults.observer.finding import NOT_YET, PROMISES, Promise
from faults.observer.verdict import by_promise
from faults.run import LIVES_PER_SECOND, REST_SECONDS, Result

SEEN_MAX = 5
LABELS_MAX = 80
"""With more faults than this, the names of whom they struck would cover each other."""
COLOURS = mpl.colormaps["tab20"]


def write(result: Result, folder: Path) -> Path:
    """Writes `seed-<n>.md` and `seed-<n>.png` into the folder; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"seed-{result.order.seed}" + "-without" * bool(result.without) + "".join(f"-{lost}" for lost in result.without)
    picture, page = folder / f"{name}.png", folder / f"{name}.md"
    draw(result, picture)
    page.write_text("\n".join(_page(result, picture.name)) + "\n")
    return page


def unwritable(folder: Path) -> str:
    """Why no report can be written there, or an empty text."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".try").touch()
        (folder / ".try").unlink()
    except OSError as error:
        return error.strerror or "it cannot be written"
    return ""


def summary(result: Result, page: Path) -> str:
    """The end of the run in a terminal; its last line is `N passed, N failed` over the promises."""
    held = _held(result)
    lines = []
    for promise, broken in held.items():
        lines.append(f"{'FAILED' if broken else 'held  '} {promise:4} {PROMISES[promise]}" + (f" ({len(broken)} times)" if broken else ""))
        lines += [f"         {seen}" for seen in broken[:SEEN_MAX]]
    lines += [f"not judged {promise:4} {why}" for promise, why in _unjudged(result).items()]
    failed = sum(1 for broken in held.values() if broken)
    lines += [f"again: {again(result)}", f"report: {page}", f"{len(held) - failed} passed, {failed} failed"]
    return "\n".join(lines)


def again(result: Result) -> str:
    """The command that runs the same schedule and lives again."""
    order = result.order
    words = [f"make faults MINUTES={order.seconds / 60:g} SEED={order.seed}"]
    more = [f"--faults {_kinds(order.kinds)}"] if tuple(order.kinds) != plan.USUAL else []
    more += [f"--targets {','.join(order.targets)}"] if tuple(order.targets) != plan.CLIENTS else []
    replicas = set(result.replicas.values())
    more += [f"--replicas {replicas.pop()}"] if replicas != {2} else []
    more += [f"--rest {order.rest_seconds:g}"] if order.rest_seconds != REST_SECONDS else []
    more += [f"--rate {order.rate:g}"] if order.rate != LIVES_PER_SECOND else []
    more += [f"--without {','.join(result.without)}"] if result.without else []
    return " ".join([*words, *([f"ARGS='{' '.join(more)}'"] if more else [])])


def _kinds(kinds: Sequence[plan.Kind]) -> str:
    return "all" if tuple(kinds) == plan.KINDS else ",".join(kinds) or "none"


def _unjudged(result: Result) -> dict[str, str]:
    """Promises that this run says nothing of, and why."""
    rolling = {} if "P13" in _held(result) else {"P13": f"{PROMISES['P13']}: no replica was rolled in this run (`--faults roll,...`)"}
    return NOT_YET | rolling


def _held(result: Result) -> dict[Promise, list[str]]:
    return by_promise(result.findings, result.evidence.did)


def _page(result: Result, picture: str) -> Iterator[str]:
    yield f"# Faults, seed {result.order.seed}"
    yield ""
    names = sorted({str(finding.promise) for finding in result.findings})
    yield f"`{again(result)}`: " + (f"broken: {', '.join(names)}" if names else "every promise judged was held") + "."
    yield ""
    yield from _table(("what", "figure"), figures(result))
    yield f"\n![faults, backlog, latency, memory over time]({picture})\n"
    yield "## Promises"
    yield ""
    held = _held(result)
    rows = [(p, PROMISES[p], f"broken {len(broken)} times" if broken else "held") for p, broken in held.items()]
    yield from _table(("id", "promise", "in this run"), [*rows, *((p, why, "not judged") for p, why in _unjudged(result).items())])
    for promise, broken in held.items():
        yield from (f"- {promise}: {seen}" for seen in broken[:SEEN_MAX])
    yield "\n## Faults\n"
    yield from (f"- {fault}" for _, fault in result.faults)


def figures(result: Result) -> list[tuple[str, str]]:
    """What was done and seen, in numbers."""
    evidence, book = result.evidence, result.evidence.book
    accepted = [p for p in evidence.posted.values() if p.accepted_at]
    dispatched = [call for call in evidence.calls if call.accepted and call.action_id in {c["action_id"] for c in book.contacts}]
    unknown = {o["action_id"] for o in book.outcomes if o["kind"] == "unknown"}
    latencies = sorted(latency for _, latency in latencies_of(result))
    answers = ", ".join(f"{status}: {times:,}" for status, times in sorted(evidence.statuses.items()))
    repeated = ", ".join(f"{topic} {times:,}" for topic, times in sorted(book.repeated.items()))
    memory = [f"{name} {first:.0f} → {last:.0f}" for name, first, last in _growth(result)]
    return [
        ("touchpoints accepted, of so many customers", f"{len(accepted):,} of {len({p.customer for p in accepted}):,}"),
        ("posted: questions, answers, stops and complaints, orders", _posted(result)),
        ("answers of ingest, by status; without one, and for no known reason", f"{answers}; {len(evidence.unanswered)}"),
        ("unreadable messages written", f"{len(book.strange):,}"),
        ("faults", f"{len(result.faults)}, over after {result.healed - result.began:.0f} s"),
        ("at rest after healing", f"{result.rested - result.healed:.0f} s"),
        ("runs, decisions, contacts", ", ".join(f"{n:,}" for n in _counts(result))),
        ("accepted by providers; uncertain and never repeated", f"{len(dispatched):,}; {len(unknown):,}"),
        ("messages published again and told apart", repeated or "none"),
        ("touchpoint on its topic → in its profile, p50 / p99", f"{_share(latencies, 0.5):.2f} / {_share(latencies, 0.99):.2f} s"),
        ("memory, MB, first and last", ", ".join(memory)),
    ]


def _posted(result: Result) -> str:
    kinds: list[str] = [posted.kind for posted in result.evidence.posted.values()]
    groups = (("ask", "burst", "late_ask"), ("answer",), ("stop", "complaint"), ("order",))
    return ", ".join(f"{sum(kinds.count(kind) for kind in group):,}" for group in groups)


def _counts(result: Result) -> tuple[int, int, int]:
    book = result.evidence.book
    return len(book.decisions["run_started"]), len(book.decisions["decision"]), len(book.contacts)


def _share(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def latencies_of(result: Result) -> list[tuple[float, float]]:
    """(seconds since the beginning, seconds from the touchpoint's topic to the profile) of every touchpoint, by the broker's stamps."""
    arrivals = result.evidence.book.arrivals
    seen = {update.cause: update.seen for update in reversed(result.evidence.book.updates)}
    return [(a.at - result.began, seen[name] - a.at) for name, a in arrivals.items() if name in seen]


def _growth(result: Result) -> Iterator[tuple[str, float, float]]:
    looked = [sample.memory for sample in result.samples if sample.memory]
    for name in sorted({name for memory in looked for name in memory}):
        values = [memory[name] for memory in looked if name in memory]
        yield name, values[min(2, len(values) - 1)], values[-1]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = tuple(head)
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"


def draw(result: Result, picture: Path) -> None:
    """Four plots over one time axis: faults, touchpoints behind, latency, memory."""
    figure = Figure(figsize=(11, 10), layout="constrained")
    parts = figure.subplots(4, 1, sharex=True, height_ratios=(2, 1, 1.2, 1.2))
    _draw_faults(parts[0], result)
    _draw_behind(parts[1], result)
    _draw_latency(parts[2], result)
    _draw_memory(parts[3], result)
    for part in parts:
        part.axvline(result.healed - result.began, color="green", linestyle=":")
    parts[-1].set_xlabel("seconds since the load began; dotted: the faults are over and all is put right")
    figure.savefig(picture, dpi=90)


def _draw_faults(axes: Axes, result: Result) -> None:
    kinds = sorted({fault.kind for _, fault in result.faults}, reverse=True)
    for _, fault in result.faults:
        axes.barh(kinds.index(fault.kind), max(fault.seconds, 0.3), left=fault.at, color=COLOURS(plan.KINDS.index(fault.kind)))
        if len(result.faults) <= LABELS_MAX:
            axes.text(fault.at, kinds.index(fault.kind), f" {fault.target}", fontsize=6, va="center")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_title(f"seed {result.order.seed}: faults")


def _draw_behind(axes: Axes, result: Result) -> None:
    axes.plot([s.at - result.began for s in result.samples], [s.behind for s in result.samples])
    axes.set_ylabel("touchpoints\nnot in a profile")


def _draw_latency(axes: Axes, result: Result) -> None:
    found = latencies_of(result)
    axes.plot([at for at, _ in found], [max(latency, 0.001) for _, latency in found], ".", markersize=2)
    axes.set_yscale("log")
    axes.set_ylabel("topic → profile, s")


def _draw_memory(axes: Axes, result: Result) -> None:
    looked = [sample for sample in result.samples if sample.memory]
    for name in sorted({name for sample in looked for name in sample.memory}):
        theirs = [(sample.at - result.began, sample.memory[name]) for sample in looked if name in sample.memory]
        axes.plot([at for at, _ in theirs], [megabytes for _, megabytes in theirs], label=name)
    axes.set_ylabel("memory, MB")
    axes.legend(fontsize=6, ncols=4)
