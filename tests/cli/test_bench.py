"""`remit bench`: every row, honest goals, an exit code that judges nothing."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from inline_snapshot import snapshot

from remit.bench import BENCHES, decide, sandbox, stage
from remit.bench.row import Row
from remit.cli.bench import command
from remit.errors import Unavailable


def bench(*words: str) -> Any:
    done = CliRunner().invoke(command, [*words, "--quick", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout)


def table(*words: str) -> str:
    done = CliRunner().invoke(command, [*words, "--quick"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def names(told: Any) -> list[str]:
    return [row["name"] for row in told["rows"]]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few turns as can be: what is tested here is not speed."""
    turns = decide.in_turn
    monkeypatch.setattr(decide, "in_turn", lambda contestants, *, rounds, warm: turns(contestants, rounds=5))


@pytest.mark.thorough
def test_every_row_is_there() -> None:
    told = bench()
    assert (told["schema"], told["quick"]) == ("remit.bench/1", True)
    assert names(told) == snapshot(
        [
            "decide, 20 rules x 1",
            "decide, 20 rules x 1, beside Cedar",
            "decide, 20 rules x 4",
            "decide, 200 rules x 1",
            "decide, 200 rules x 1, beside Cedar",
            "decide, 200 rules x 4",
            "remit inbox, 1,000 waiting runs, wall",
            "remit inbox, 1,000 waiting runs, CPU",
            "read 1,000 questions",
            "remit serve, 1,000 waiting runs, page",
            "remit serve, 1,000 waiting runs, page, wall",
            "remit serve, 1,000 waiting runs, peak memory",
            "answer to effect, 1,000 waiting runs",
            "decide and record, durable and signed",
            "verify 10,000 entries",
            "sandbox, until the command's first byte",
            "sandbox, until nothing is left",
            "stage, diff, publish and undo, 2,000 files",
            "remit --help, CPU",
            "remit check, wall",
            "remit run … -- true, wall",
            "remit run, peak memory",
        ]
    )
    for row in told["rows"]:
        assert row["met"] in {True, False} or row["why"], row
        assert row["goal"] is None or row["goal"]["bound"] > 0


@pytest.mark.usefixtures("few")
def test_met_follows_from_the_numbers_and_the_bound() -> None:
    for row in bench("decide")["rows"]:
        if row["rival"] is not None:
            bound = row["goal"]["bound"] * (row["rival"] if row["goal"]["kind"] == "times" else 1)
            assert row["met"] is (row["ours"] <= bound)
            assert row["ratio"] == pytest.approx(row["ours"] / row["rival"])


@pytest.mark.usefixtures("few")
def test_a_planted_slow_implementation_is_reported_as_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = decide.decide

    def slow(*given: Any, **named: Any) -> Any:
        until = time.perf_counter() + 0.001
        while time.perf_counter() < until:
            pass
        return quick(*given, **named)

    monkeypatch.setattr(decide, "decide", slow)
    assert {row["met"] for row in bench("decide")["rows"] if row["rival"] is not None} == {False}
    screen = table("decide")
    assert "MISSED" in screen
    assert "\nof 6: 0 missed" not in screen


@pytest.mark.usefixtures("few")
def test_a_rival_that_gives_another_answer_voids_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "_plain", lambda rules, depth: lambda: "refuse")
    with pytest.raises(AssertionError, match="do not agree"):
        bench("decide")


@pytest.mark.usefixtures("few")
def test_cedar_is_said_to_be_absent_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cedarpy", None)
    told = bench("decide")
    absent = [row for row in told["rows"] if "Cedar" in row["name"]]
    assert [(row["why"], row["met"], row["rival"]) for row in absent] == [("not installed", None, None)] * 2
    assert "not installed" in table("decide")


def test_the_record_is_measured_with_its_decision() -> None:
    told = bench("ledger")
    assert names(told) == ["decide and record, durable and signed", "verify 10,000 entries"]
    assert all(row["ours"] > 0 and row["rival"] > 0 for row in told["rows"])


@pytest.mark.parametrize("broken", [Unavailable("no overlay here"), FileNotFoundError(2, "no such file", "bwrap")])
def test_a_bench_that_cannot_go_on_says_why_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, broken: Exception) -> None:
    monkeypatch.setattr(stage, "rows", failing(broken))
    monkeypatch.setattr(sandbox, "rows", lambda *, quick: iter([Row(name="b", against="r", ours=1.0, rival=2.0)]))
    told = bench("stage", "sandbox")
    assert names(told) == ["stage", "b"]
    assert "could not be measured" in told["rows"][0]["why"]
    assert told["rows"][0]["met"] is None
    assert "of 2: 0 missed, 2 not judged" in table("stage", "sandbox")


def failing(error: Exception) -> Callable[..., Any]:
    def rows(*, quick: bool) -> Any:
        raise error
        yield

    return rows


def test_an_unknown_bench_is_refused_and_the_known_are_named() -> None:
    done = CliRunner().invoke(command, ["speed"])
    assert done.exit_code == 2
    assert all(name in done.output for name in BENCHES)
