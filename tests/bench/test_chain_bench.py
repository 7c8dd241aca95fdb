"""The bench of chains measures chains that really went through, beside something that really ran."""

import shutil
from pathlib import Path

import anyio
import pytest

from remit.bench import BENCHES
from remit.bench.chain import _in_a_row, _in_process, _side_by_side
from remit.bench.chain_steps import carried, idle, plan, waits
from remit.bench.chain_world import chain_world
from remit.errors import Broken
from remit.testing.sandbox import Inside, UnconfinedScripts

boxed = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


def test_steps_that_do_nothing_are_measured_in_a_process_of_their_own() -> None:
    seconds, peak = _in_process(3, rounds=1, judged=False)
    assert seconds.ours is not None and seconds.rival is not None
    assert 0 < seconds.ours < 60 and 0 < seconds.rival < 60
    assert peak.ours is not None and 10e6 < peak.ours < 500e6
    assert seconds.met is None and "chain" in BENCHES


def test_a_chain_that_did_not_go_through_is_not_measured(tmp_path: Path) -> None:
    async def fails(_: Inside) -> int:
        return 1

    async def tell() -> None:
        with chain_world(tmp_path, UnconfinedScripts({"cat": waits, "true": fails})) as world:
            await carried(world, plan(1, parallel=1))

    with pytest.raises(Broken):
        anyio.run(tell)


def test_steps_in_a_row_wait_for_each_other_and_those_side_by_side_do_not(tmp_path: Path) -> None:
    async def tell() -> None:
        with chain_world(tmp_path, UnconfinedScripts({"cat": waits, "true": idle})) as world:
            run, took = await carried(world, plan(3, parallel=1))
            assert run.chain is not None and run.chain.complete == 3 and took > 0

    anyio.run(tell)
    assert [step.after for step in plan(3, parallel=1).steps] == [(), ("step-0",), ("step-1",)]
    assert not any(step.after for step in plan(3, parallel=3).steps)


@boxed
@pytest.mark.parametrize("way", [_side_by_side, _in_a_row])
def test_boxed_steps_are_measured_beside_boxes(tmp_path: Path, way: object) -> None:
    ours, rival = anyio.run(way, tmp_path / "place")  # type: ignore[arg-type]
    assert 0 < ours < 60
    assert 0 < rival < 60
