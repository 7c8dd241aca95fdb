"""What a command leaves running when it ends is told before it is killed, and only that."""

import pytest
from box_rig import Ground, Witness

from remit.ports import BoxLimits

DAEMONS = """
import ctypes, os, time
for n in range({count}):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, {name!r})
            os.write(1, b"up\\n")
            time.sleep(600)
        os._exit(0)
    os.wait()
os.system("while test $(ls /proc | grep -c '^[0-9]') -lt {least}; do :; done")
"""


def left(witness: Witness) -> list[tuple[str, str, str]]:
    return [told for told in witness.told if told[0] == "left running"]


def daemons(ground: Ground, count: int, name: bytes = b"leftover") -> Witness:
    ending, witness = ground.python(DAEMONS.format(count=count, name=name, least=count + 2))
    assert (ending.status, ending.why) == (0, "ended")
    assert witness.printed == "up\n" * count
    return witness


def test_a_daemon_that_outlives_the_command_is_told_by_name(ground: Ground) -> None:
    told = left(daemons(ground, 2))
    assert len(told) == 2
    for what, who, by in told:
        assert (what, by) == ("left running", "the end of the box, which killed it")
        name, _, rest = who.partition(" (pid ")
        assert name == "leftover" and rest.endswith(" inside)") and int(rest.split()[0]) > 1


def test_a_crowd_is_told_as_some_names_and_a_number(ground: Ground) -> None:
    told = left(daemons(ground, 40))
    assert len(told) == 17
    assert told[-1][1] == "24 more"


def test_a_name_cannot_break_the_report(ground: Ground) -> None:
    (told,) = left(daemons(ground, 1, b') Z 1"\\\n\xff\x1b['))
    assert told[1].startswith(") Z 1?????[ (pid ")


@pytest.mark.parametrize(
    "command",
    [
        "true", "sleep 0.01 & wait", "echo x | cat | cat", "(sleep 0.01 &); exec sleep 0.1",
        "for i in 1 2 3 4 5 6 7 8; do (true &); done", "setsid -f true; setsid -f true", "sleep 0.02 &", "exit 3",
    ],
)  # fmt: skip
def test_whatever_ended_or_was_about_to_is_not_told(ground: Ground, command: str) -> None:
    witness = Witness()
    ground.run(ground.plan("sh", "-c", command), witness)
    assert not left(witness)


def test_orphans_that_nobody_collected_are_not_told(ground: Ground) -> None:
    """The main command ends while children of its own are dead and unreaped: they fall to the first process."""
    code = "import os, time\nfor n in range(20):\n  if os.fork() == 0: os._exit(0)\ntime.sleep(0.1); os._exit(0)"
    _, witness = ground.python(code)
    assert not left(witness)


def test_a_dead_child_that_a_daemon_never_collected_is_not_told_the_daemon_is(ground: Ground) -> None:
    code = (
        "import os, time\nr, w = os.pipe()\nif os.fork() == 0:\n  for n in range(5):\n    if os.fork() == 0: os._exit(0)\n"
        "  time.sleep(0.05); os.write(w, b'x'); time.sleep(600)\nos.read(r, 1); os._exit(0)"
    )
    _, witness = ground.python(code)
    assert len(left(witness)) == 1


def test_a_box_that_was_stopped_tells_nothing_of_its_own(ground: Ground) -> None:
    witness = Witness()
    limits = BoxLimits(time=0.5)
    ending = ground.run(ground.plan("sh", "-c", "sleep 600 & sleep 600", limits=limits), witness)
    assert ending.why == "limit"
    assert not left(witness)


def test_a_first_process_that_was_stopped_by_a_stubborn_crowd_still_ends(ground: Ground) -> None:
    code = (
        "import os, signal, time\nfor n in range(50):\n  if os.fork() == 0:\n"
        "    [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 3, 13, 15, 17)]\n"
        "    while True: time.sleep(0.001)\nos._exit(9)"
    )
    ending, witness = ground.python(code)
    assert ending.status == 9
    assert left(witness)[-1][1] == "34 more"


HOG = """
held = []
try:
    while True: held.append(bytearray(b"x") * (4 << 20))
except MemoryError:
    held.clear()
    print("refused", flush=True)
"""


def test_a_process_that_met_the_memory_limit_is_told_although_it_handled_it(ground: Ground) -> None:
    limits = BoxLimits(time=30, memory=128 << 20)
    code = f"import os\nif os.fork() == 0:\n  exec({HOG!r}); os._exit(0)\nos.wait()"
    ending, witness = ground.python(code, limits=limits)
    said = [told for told in witness.told if told[0] == "memory"]
    if ending.limit == "memory":  # seen by the clock before the process had given up
        return
    assert witness.printed == "refused\n"
    assert len(said) == 1 and said[0][1].endswith("of 128 MiB") and said[0][2] == "the memory limit"


def test_a_process_far_from_the_memory_limit_is_not_told(ground: Ground) -> None:
    _, witness = ground.python("x = bytes(40 << 20)", limits=BoxLimits(time=30, memory=256 << 20))
    assert not witness.told


def test_a_full_house_is_told_once(ground: Ground) -> None:
    code = (
        "import os, time\ntry:\n  while os.fork(): pass\n"
        "except OSError: print('held', flush=True); time.sleep(0.6)\nelse: time.sleep(60)"
    )
    ending, witness = ground.python(code, limits=BoxLimits(time=30, processes=48))
    if ending.limit == "processes":  # root is counted, not held
        return
    assert witness.printed == "held\n"
    assert [told[2] for told in witness.told if told[0] == "processes"] == ["the process limit"]
