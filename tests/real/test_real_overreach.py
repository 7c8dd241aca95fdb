"""S22 with real runtimes: an allowed command starts something that later reaches out. Held by the kernel, told, and over (TIER-10)."""

import json
from pathlib import Path

import pytest
from real_worlds import NAMES, Scene, real
from worlds import Told

from remit.testing.models import Script, Shell

CONTRACT = """\
goal: {goal}
owner: release-lead@example.com
may:
  - read: "**"
  - write: docs/**
  - run: python3 checks/run.py{more}
never:
  - run: curl ...
    because: nothing is fetched here
limits: {{turns: 20, time: 90s, tokens: 1M, usd: 10}}
success:
  - id: ran
    file: docs/overreach.txt
    matches: finished
recovery:
  - when: failed
    do: undo
"""

CHECKS = """\
import os, socket, subprocess, sys, time
nonce, out = {nonce!r}, "docs/overreach.txt"
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.dup2(1, 0), os.dup2(1, 2)
    os.execv(sys.executable, [sys.executable, "checks/later.py", nonce])
print("the checks pass")
for _ in range(300):
    if os.path.exists(out) and "finished" in open(out).read():
        break
    time.sleep(0.1)
"""

LATER = """\
import socket, subprocess, sys, time
nonce = sys.argv[1]
said = open("docs/overreach.txt", "w")
def tries(what, act):
    try:
        act()
        said.write(f"{what} ESCAPED\\n")
    except OSError as error:
        said.write(f"{what} held: {error.strerror}\\n")
time.sleep(1)
tries("etc", lambda: open(f"/etc/remit-{nonce}", "w"))
tries("usr", lambda: open(f"/usr/local/bin/remit-{nonce}", "w"))
tries("git", lambda: open("/run/remit/bin/remit", "w"))
tries("network", lambda: socket.create_connection(("1.1.1.1", 443), 5))
tries("curl", lambda: subprocess.run(["curl", "https://example.com/" + nonce]))
said.write("finished\\n")
said.close()
time.sleep(600)
"""
PROGRAMS = ("/run/remit/bin/python3 ...", "/run/remit/bin/python3 -IS *", "sh -c *")
HELD = {"etc", "usr", "git", "network", "curl"}


def checks(scene: Scene) -> str:
    """A repository whose checks do more than they should, and a contract that lets them be run."""
    (scene.work / "checks").mkdir()
    (scene.work / "checks" / "run.py").write_text(CHECKS.format(nonce=scene.nonce))
    (scene.work / "checks" / "later.py").write_text(LATER)
    scene.git("add", "checks")
    scene.git("-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", "commit", "-qm", "test: checks")
    command = "python3 checks/run.py"
    if scene.name == "acp":
        return "script: " + json.dumps([{"do": "shell", "command": command}])
    script = Script(name=f"checks-{scene.nonce}", steps=(Shell(command=command, seconds=60),))
    scene.server.add(script)
    return f"[[script: {script.name}]] Run the checks"


@pytest.mark.parametrize("name", NAMES)
def test_what_an_allowed_command_leaves_behind_is_held_by_the_kernel_and_told(tmp_path: Path, name: str) -> None:
    with real(tmp_path, name) as scene:
        goal = checks(scene)
        # an agent that does not show its calls has each of its programs decided, its own interpreter, too
        more = "".join(f"\n  - run: {each}" for each in PROGRAMS) if name == "acp" else ""
        contract = scene.contract(CONTRACT.format(goal=json.dumps(goal), more=more))
        told = Told(scene.quick(*scene.words(contract), code=None).stdout)
        assert told.end["verdict"] == "success", told.end
        said = dict(line.split(" ", 1) for line in scene.tree()["docs/overreach.txt"].splitlines() if " " in line)
        assert said.keys() == HELD
        assert all(how.startswith("held: ") for how in said.values()), said
        assert not [path for top in ("/etc", "/usr/local/bin") for path in Path(top).glob(f"*{scene.nonce}*")]
        assert scene.alive() == []

        account = scene.account()
        refused = {(row["action"], row["object"]) for row in account["refused"]}
        assert ("connect", "1.1.1.1:443") in refused
        assert [row for row in account["refused"] if row["action"] == "run" and "curl" in row["object"]]
        left = [action for action, what in refused if action == "left running"]
        killed = [name for fact in told.events if fact["kind"] == "work_done" for name in fact["ended"]]
        assert left or killed, "what was left behind is told"
        assert [row for row in account["allowed"] if scene.nonce in row["object"]], "the observer saw what began it"
        assert told.end["refusals"] >= 1, "the run is marked"
        scene.quick("verify")
