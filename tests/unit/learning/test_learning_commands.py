"""`nextwave evaluate`, `train` and `models`: the gates on real data, refusals with the field and the fix, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from nextwave_local.command import app
from nextwave_scoring.churn.card import Card
from typer.testing import CliRunner, Result
from unit.scoring.trained import GOOD, POOR, card, put

from .customers import shop, written


def nextwave(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_the_gates_of_the_shop_of_compact_discs_are_met(tmp_path: Path) -> None:
    plot = tmp_path / "cdnow.png"
    done = nextwave("evaluate", "--data", "cdnow", "--json", "--plot", str(plot))
    told = json.loads(done.stdout)
    assert told["baseline"]["accuracy"] >= 0.775
    assert told["baseline"]["auc"] >= 0.775
    assert told["accuracy"] >= 0.782
    assert told["auc"] >= 0.783
    assert told["time_split"]["brier"] < told["baseline"]["brier"]
    assert set(told["silence_rule"]) >= {"auc", "accuracy", "brier", "ece", "lift10"}
    assert told["customers"] == 2357
    assert plot.read_bytes()[:4] == b"\x89PNG"


def test_the_gates_of_the_table_of_telecom_customers_are_met() -> None:
    told = json.loads(nextwave("evaluate", "--data", "wa_churn", "--kind", "logistic", "--json").stdout)
    assert told["auc"] >= 0.84
    assert told["ece"] <= 0.02
    assert told["customers"] == 7043
    assert 0.72 <= told["baseline"]["auc"] <= 0.75  # one trait alone, the kind of contract, tells much: the rest is what was learned
    assert told["brier"] < told["baseline"]["brier"] < 0.17


def test_an_export_is_learned_from_and_the_model_is_shelved(tmp_path: Path) -> None:
    export = written(tmp_path / "shop.csv", shop())
    done = nextwave("train", "--export", str(export), "--horizon", "30", "--kind", "logistic", "--models", str(tmp_path / "models"))
    assert done.exit_code == 0, done.output
    listed = json.loads(nextwave("models", "list", "--json", "--models", str(tmp_path / "models")).stdout)
    assert [(one["name"], one["role"], one["horizon_days"], one["data"]) for one in listed] == [("churn", "shadow", 30, "shop.csv")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "cdnau"], "--data cdnau: there are no data of that name; use cdnow, wa_churn"),
        ([], "give one source"),
        (["--data", "cdnow", "--horizon", "10"], "leave out --horizon"),
        (["--export", "none.csv"], "none.csv: there is no such file"),
        (["--data", "cdnow", "--kind", "magic"], "--kind 'magic': use auto, logistic, lightgbm"),
        (["--export", "{csv}", "--columns", "customer"], "--columns customer: write field=NAME"),
        (["--export", "{csv}"], "line 2: occurred_at is missing; --columns occurred_at=NAME"),
        (["--export", "{csv}", "--columns", "occurred_at=day"], "line 2: type is missing; --type order.placed"),
        (["--export", "{csv}", "--columns", "occurred_at=price", "--type", "order.placed"], "occurred_at 'x' is no instant"),
        (["--export", "{csv}", "--columns", "occurred_at=day,amount=price", "--type", "order.placed"], "amount 'x' is no number"),
        (["--export", "{csv}", "--columns", "occurred_at=day", "--type", "order.placed", "--until", "soon"], "--until 'soon'"),
        (["--export", "{csv}", "--columns", "occurred_at=day", "--type", "order.placed"], "learning window is empty"),
    ],
)
def test_wrong_input_is_named_with_the_fix(words: list[str], said: str, tmp_path: Path) -> None:
    csv = tmp_path / "orders.csv"
    csv.write_text("customer,day,price\n7,2026-01-31,x\n")
    done = nextwave("evaluate", *(word.replace("{csv}", str(csv)) for word in words))
    assert done.exit_code == 2
    assert said in done.output


def test_json_lines_are_read_too_and_a_broken_one_is_told_by_its_number(tmp_path: Path) -> None:
    lines = tmp_path / "touchpoints.jsonl"
    lines.write_text('{"customer": "1", "occurred_at": "2026-01-01T00:00:00Z", "type": "page.viewed"}\nnonsense\n')
    assert "line 2: it must be one JSON object" in nextwave("evaluate", "--export", str(lines)).output


def test_a_model_that_does_not_beat_the_baseline_goes_live_with_a_reason_only(tmp_path: Path) -> None:
    put(tmp_path, card(metrics={"model": POOR, "baseline": GOOD}, role="shadow"))
    refused = nextwave("models", "role", "churn@1", "live", "--models", str(tmp_path))
    assert refused.exit_code == 1
    assert "does not beat the baseline (AUC 0.7500 and 0.8000" in refused.output
    assert nextwave("models", "role", "churn@1", "live", "--models", str(tmp_path), "--force", "a pilot").exit_code == 0
    stored = msgspec.json.decode((tmp_path / "churn@1" / "card.json").read_bytes(), type=Card)
    assert (stored.role, stored.forced) == ("live", "a pilot")


def test_trees_that_lose_against_the_baseline_are_not_put_live(tmp_path: Path) -> None:
    done = nextwave("train", "--data", "cdnow", "--kind", "lightgbm", "--role", "live", "--models", str(tmp_path))
    assert done.exit_code == 1
    assert "does not beat the baseline" in done.output
    assert "Nothing was shelved: --role shadow" in done.output
    assert not list(tmp_path.iterdir())


def test_a_broken_folder_is_told_beside_the_models_that_are_whole(tmp_path: Path) -> None:
    put(tmp_path, card(metrics={}, role="off"))
    (put(tmp_path, card(version="2")) / "card.json").write_text("{")
    put(tmp_path, card(version="3", role="shadow"), b"[]")
    put(tmp_path, card(version="4"))
    done = nextwave("models", "list", "--models", str(tmp_path))
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["churn@1", "churn@4"]
    assert "AUC not told" in done.stdout
    assert "churn@2 is refused: Input data was truncated; mend it" in done.stderr
    assert "churn@3 is refused: Expected `object`, got `array`" in done.stderr
    told = nextwave("models", "list", "--json", "--models", str(tmp_path))
    assert [one["version"] for one in json.loads(told.stdout)] == ["1", "4"]
    assert nextwave("models", "role", "churn@1", "live", "--force", "a pilot", "--models", str(tmp_path)).exit_code == 0
    assert "churn@4" in nextwave("models", "list", "--models", str(tmp_path)).stdout


def test_a_model_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    put(tmp_path, card())
    done = nextwave("models", "role", "churn@9", "off", "--models", str(tmp_path))
    assert done.exit_code == 2
    assert "there are churn@1" in done.output
