"""`nextwave train --kafka` on the real broker: what is learned from the topic is what is learned from an export of the same history."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.wire import encode
from nextwave_local.command import app
from nextwave_local.learning import topic as reading
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.registry.registry import Registry
from stack import Stack
from typer.testing import CliRunner, Result
from unit.learning.customers import shop, written

OPTIONS = ("--horizon", "30", "--kind", "logistic", "--json")


async def nextwave(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def test_what_is_learned_from_the_topic_is_what_an_export_teaches_and_scoring_uses_it(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = replace(TOUCHPOINTS, name="test.learning.touchpoints.v1")  # others read the shared topic from its beginning
    monkeypatch.setattr(reading, "TOUCHPOINTS", own)
    histories = shop()
    await stack.create_topics([own.name])
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap)
    await producer.start()
    for touchpoint in (each for one in histories for each in one.touchpoints):
        await producer.send(own.name, encode(touchpoint), key=touchpoint.identifiers[0].encode())
    await producer.stop()
    models = tmp_path / "models"
    learned = await nextwave("train", "--kafka", stack.bootstrap, *OPTIONS, "--models", str(models), "--role", "live", "--force", "a test")
    assert learned.exit_code == 0, learned.output
    exported = await nextwave("evaluate", "--export", str(written(tmp_path / "shop.csv", histories)), *OPTIONS)
    from_topic, from_export = json.loads(learned.stdout), json.loads(exported.stdout)
    for measure in ("customers", "auc", "accuracy", "baseline", "silence_rule"):  # calibration hangs on the folds, which go by name
        assert from_topic[measure] == pytest.approx(from_export[measure], rel=1e-9)
    registry = Registry(Baseline(DEFAULT), models)
    registry.reload()
    assert registry.current.live.name.startswith("churn@")


async def test_a_broker_that_has_nothing_or_is_not_there_is_said_so(stack: Stack) -> None:
    nobody = await nextwave("evaluate", "--kafka", "127.0.0.1:1")
    assert (nobody.exit_code, "127.0.0.1:1" in nobody.output) == (2, True)
