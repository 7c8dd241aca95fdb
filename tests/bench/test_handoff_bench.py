"""The bench of handing work up measures what it says: a real box, a real runtime, a model that is really called."""

from pathlib import Path

import anyio

from remit.bench import BENCHES
from remit.bench.handoff import _measured


def test_both_sides_of_a_hand_off_call_the_model_once_each_round(tmp_path: Path) -> None:
    taken = anyio.run(_measured, tmp_path, 1)
    assert len(taken) == 2
    assert all(0 < seconds < 60 for each in taken for seconds in each)
    assert "handoff" in BENCHES
