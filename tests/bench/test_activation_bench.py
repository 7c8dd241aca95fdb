"""The bench of activation counts what is on record, says which model it ran, and gives the same for the same seed."""

import json
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from remit.bench.activation import Chained, Measured, at_once, measure, one, sizes
from remit.bench.activation_shown import bootstrap, cited, document, summed, table, wilson
from remit.bench.rotting import Habits, adds, drawn, looks_back, tokens, way
from remit.cli.bench import command
from remit.errors import BadInput

CALM = Habits(keen=1.0, steady=1_000_000, fails=0.0, hangs=0.0, lies=0.0, leaves=0.0, validates=1.0)


def chain(folder: Path, size: int, mode: str, habits: Habits, seed: int = 1) -> Chained:
    return anyio.run(one, folder, size, mode, 1, seed, habits)  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_attention_never_grows_with_what_is_carried(less: int, more: int) -> None:
    own = Habits()
    assert own.invokes(min(less, more)) >= own.invokes(max(less, more)) >= 0
    assert own.invokes(own.steady) == own.keen
    assert own.invokes(own.steady + own.half) == pytest.approx(own.keen / 2)


def test_a_draw_hangs_on_what_it_is_about_and_on_nothing_else() -> None:
    assert drawn(1, 2, "a", 1).random() == drawn(1, 2, "a", 1).random() != drawn(1, 2, "a", 2).random()
    assert 3_000 <= adds(Habits(), drawn(1)) <= 7_000
    assert looks_back(CALM, drawn(1), 0)


def test_injected_faults_come_in_the_shares_that_are_named() -> None:
    ways = [way(Habits(keen=1.0), drawn(1, at), 0) for at in range(4000)]
    shares = {name: ways.count(name) / len(ways) for name in ("fails", "hangs", "lies", "misses")}  # type: ignore[arg-type]
    assert shares["misses"] == 0
    assert shares["fails"] == pytest.approx(0.20, abs=0.03)
    assert shares["hangs"] == pytest.approx(0.02, abs=0.01)
    assert shares["lies"] == pytest.approx(0.05, abs=0.02)


def test_a_token_is_a_quarter_of_the_characters_rounded_up() -> None:
    assert [tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_fresh_contexts_activate_all_of_the_plan_with_a_fifth_of_the_steps_failing(tmp_path: Path) -> None:
    found = chain(tmp_path, 6, "delegated", Habits())
    assert (found.invoked, found.accounted, found.validated) == (6, 6, True)
    assert found.retries > 0
    assert found.at_once > 1
    assert found.activation == 1


def test_one_conversation_loses_its_tail_and_is_never_validated(tmp_path: Path) -> None:
    found = chain(tmp_path, 16, "standard", Habits())
    assert found.invoked < 16
    assert (found.validated, found.at_once, found.skipped) == (False, 1, 0)


def test_what_cannot_be_done_is_left_out_by_the_owners_consent_on_record(tmp_path: Path) -> None:
    found = chain(tmp_path, 2, "delegated", Habits(fails=1.0, hangs=0.0, lies=0.0, keen=1.0))
    assert (found.skipped, found.accounted, found.made, found.complete) == (2, 2, 0, 0)
    assert found.questions >= 2
    assert (found.validated, found.status) == (True, "PARTIAL")  # it fails, and what the owner takes all the same is never a pass


def test_a_liar_is_not_believed(tmp_path: Path) -> None:
    found = chain(tmp_path, 2, "delegated", Habits(fails=0.0, hangs=0.0, lies=1.0, keen=1.0))
    assert (found.invoked, found.skipped, found.complete) == (0, 2, 0)


def test_an_agent_that_hangs_is_ended_and_its_step_taken_again_or_left_out(tmp_path: Path) -> None:
    found = chain(tmp_path, 2, "delegated", Habits(fails=0.0, hangs=1.0, lies=0.0, keen=1.0))
    assert (found.invoked, found.skipped, found.retries) == (2, 2, 6)


def test_an_agent_without_rot_or_faults_does_everything_in_either_mode(tmp_path: Path) -> None:
    for mode in ("standard", "delegated"):
        found = chain(tmp_path / mode, 3, mode, CALM)
        assert (found.invoked, found.made, found.retries, found.questions) == (3, 3, 0, 0)
        assert found.said_validated == (mode == "standard")


def test_the_same_seed_gives_the_same_chain(tmp_path: Path) -> None:
    for mode in ("standard", "delegated"):
        once, again = (chain(tmp_path / mode / name, 6, mode, Habits(), seed=5) for name in ("a", "a-longer-name-of-a-folder"))
        for name in ("invoked", "skipped", "made", "retries", "questions", "kept", "status", "said_validated"):
            assert getattr(once, name) == getattr(again, name)
        assert mode == "delegated" or once.contexts == again.contexts


def test_what_the_coordinator_keeps_of_a_step_does_not_grow_with_the_chain(tmp_path: Path) -> None:
    kept = [chain(tmp_path / str(size), size, "delegated", CALM).kept for size in (2, 12)]
    assert max(kept) - min(kept) <= 0.1 * sum(kept) / 2


def test_intervals_hold_the_share_and_say_how_little_few_chains_prove() -> None:
    assert wilson(5, 5) == (pytest.approx(0.566, abs=0.001), 1.0)
    assert wilson(0, 0) == (0.0, 1.0)
    assert bootstrap([0.5, 0.5], 1) == (0.5, 0.5)
    low, high = bootstrap([0.0, 0.5, 1.0, 1.0], 1)
    assert 0 <= low < 0.625 < high <= 1


def test_spans_overlap_where_one_begins_before_another_ends() -> None:
    from datetime import UTC, datetime, timedelta

    at = [datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=each) for each in range(5)]
    assert at_once([(at[0], at[2]), (at[1], at[3]), (at[3], at[4])]) == 2
    assert at_once([]) == 0


def test_the_table_names_the_model_and_cites_what_it_did_not_measure(tmp_path: Path) -> None:
    chains = tuple(chain(tmp_path / mode, 2, mode, CALM) for mode in ("standard", "delegated"))
    found = Measured(seed=1, times=1, habits=CALM, chains=chains, load=(0.0, 0.0))
    shown = "\n".join(table(found))
    for text in ("no measurement of any language model", "seed 1", "3 retries", "len / 4", "was not measured here", "consent"):
        assert text in shown
    assert cited(6, "standard") == "50-70 %"
    assert [each.activation for each in summed(found)] == [1.0, 1.0]
    told = json.loads(json.dumps(document(found)))
    assert told["model"]["steady"] == 1_000_000
    assert {row["mode"] for row in told["rows"]} == {"standard", "delegated"}


def test_sizes_are_numbers_of_skills() -> None:
    assert sizes("2, 6,64,6") == (2, 6, 64)
    for text in ("", "0", "-3", "x", "2,,y", "9999"):
        with pytest.raises(BadInput):
            sizes(text)


def test_the_verb_runs_the_model_and_stands_alone() -> None:
    done = CliRunner().invoke(
        command, ["activation", "--n", "1", "--sizes", "2", "--seed", "3", "--json"], catch_exceptions=False
    )
    told = json.loads(done.stdout)
    assert (told["schema"], told["seed"], told["n"], len(told["chains"])) == ("remit.bench.activation/1", 3, 1, 2)
    for words in (["activation", "decide"], ["activation", "--library", "."], ["decide", "--n", "2"]):
        with pytest.raises(BadInput):
            CliRunner().invoke(command, words, catch_exceptions=False)


def test_every_size_is_run_in_both_modes() -> None:
    seen: list[tuple[int, str]] = []
    measure(times=1, sizes=(2,), habits=CALM, told=lambda each: seen.append((each.size, each.mode)))
    assert seen == [(2, "standard"), (2, "delegated")]
