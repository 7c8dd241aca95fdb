"""A hundred chains in which everything goes wrong: each ends with its validation, nothing is lost, doubled or left open."""

from pathlib import Path

import anyio
import pytest
from chain_fuzz import Fuzzed, holds

TOGETHER = 10
"""chains that are played side by side: most of the time one of them only waits"""


def played(folder: Path, seeds: range) -> None:
    """Play these seeds; all that broke a promise are named."""
    broken: list[str] = []

    async def one(seed: int) -> None:
        place = folder / str(seed)
        place.mkdir()
        world = Fuzzed(place, seed)
        try:
            with anyio.fail_after(60):
                await holds(world, await world.played())
        except TimeoutError:
            broken.append(f"seed {seed}: it hangs; {world.did}")
        except Exception as error:  # noqa: BLE001 - the others go on, and all are named
            broken.append(f"seed {seed}: {type(error).__name__}: {error}")

    async def all_of_them() -> None:
        for first in range(seeds.start, seeds.stop, TOGETHER):
            async with anyio.create_task_group() as group:
                for seed in range(first, min(first + TOGETHER, seeds.stop)):
                    group.start_soon(one, seed)

    anyio.run(all_of_them)
    assert not broken, "\n".join([f"{len(broken)} of {len(seeds)}", *broken])


@pytest.mark.parametrize("part", range(4))
def test_whatever_goes_wrong_a_chain_ends_with_all_that_was_promised(tmp_path: Path, part: int) -> None:
    played(tmp_path, range(25 * part, 25 * (part + 1)))


@pytest.mark.thorough
@pytest.mark.parametrize("part", range(10))
def test_whatever_goes_wrong_a_thousand_chains_end_with_all_that_was_promised(tmp_path: Path, part: int) -> None:
    played(tmp_path, range(1000 + 100 * part, 1000 + 100 * (part + 1)))
