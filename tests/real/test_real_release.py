"""The release of v2.4.0 by real runtimes, each in its box, its model calls metered: `remit run … --runtime NAME` (S1, OBS-05)."""

import json
import re
import shlex
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from hostile_settings import PLANTED, plant
from real_worlds import CONTRACT, KEY, NAMES, PRODUCTS, Scene, everything, real

from remit.testing.models import SHIPPED, Edit, Script, Seen, Shell

INSPECT = """
import glob, os, re
wanted, shown = re.compile(b"KEY[0-9a-f]{32}"), re.compile(b"remit-[0-9A-Za-z_-]{32}")
counts, found, token = [0, 0], 0, 0
def look(kind, path):
    global found, token
    try:
        text = open(path, "rb").read(4000000)
    except OSError:
        return
    counts[kind] += 1
    found += len(wanted.findall(text))
    token += bool(shown.search(text))
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    look(0, path)
for top in (os.getcwd(), os.path.expanduser("~"), "/etc", "/run", "/tmp"):
    for folder, _, names in os.walk(top):
        for name in names:
            look(1, os.path.join(folder, name))
print(f"inspected {counts[0]} environments, {counts[1]} files: {found} keys, {min(token, 1)} token")
""".replace("KEY", KEY[:4] + "[r]" + KEY[5:])  # the pattern does not match itself
SAID = re.compile(r"inspected (\d+) environments, (\d+) files: (\d+) keys, (\d) token")
LOOK = shlex.join(["python3", "-c", INSPECT])
ACCOUNT_OF_ACP = "docs/inspected.txt"


def job(scene: Scene) -> str:
    """The contract to hand over: the example's own, or for the agent without a model one whose goal says what to do."""
    if scene.name != "acp":
        return str(CONTRACT)
    agent = CONTRACT.parent / "agent" / "agent.py"
    program = scene.folder / "agent.py"
    program.write_text(agent.read_text())
    steps = [
        {"do": "model", "prompt": "[[script: hello]]"},
        {"do": "shell", "command": f"{LOOK} > {ACCOUNT_OF_ACP}"},
        {"do": "shell", "command": f"git add {ACCOUNT_OF_ACP} && git commit -qm inspected"},
        {"do": "shell", "command": f"python3 -c {shlex.quote(agent.read_text())}"},
    ]
    return scene.saying("script: " + json.dumps(steps))


def inspected(scene: Scene) -> tuple[int, ...]:
    """What was found inside: environments and files that were read, real keys, whether the run's token was there."""
    said = SAID.search(scene.tree().get(ACCOUNT_OF_ACP, "") if scene.name == "acp" else scene.results())
    assert said is not None, "nobody looked"
    return tuple(map(int, said.groups()))


def expected(tree: dict[str, str]) -> dict[str, str]:
    """The tree as the release script leaves it, but for the exceptions."""
    after = dict(tree)
    for step in SHIPPED["release"].steps:
        if isinstance(step, Edit):
            assert after[step.path].count(step.old) == 1
            after[step.path] = after[step.path].replace(step.old, step.new)
    return after


def price(call: Seen) -> Decimal:
    """What a call costs by the list, from what the model said it used."""
    used = Usage(input_tokens=call.input, output_tokens=call.output)
    return Decimal(str(calc_price(used, call.model).total_price))


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_prepared_by_the_runtime_and_held_for_its_owner(tmp_path: Path, name: str) -> None:
    script = Script(name="release", steps=(Shell(command=LOOK), *SHIPPED["release"].steps))
    with real(tmp_path, name, scripts=[script], fallback="release") as scene:
        plant(scene)
        before = everything(scene)
        told = scene.hand_over(job(scene))
        assert (told.end["verdict"], told.end["acceptance"], told.end["published"]) == (
            "success_with_exceptions",
            "pending",
            False,
        )
        assert len(told.end["exceptions"]) == 1
        assert everything(scene) == before
        chosen = next(fact for fact in told.events if fact["kind"] == "runtime_chosen")
        assert (chosen["runtime"], chosen["version"]) == (name, versions(name))
        metered(scene, told.end["spend"], told.events)
        nothing_planted_ran(told.events)
        scene.quick("accept")
        published(scene, before)
        keys(scene)
        scene.quick("verify")


def versions(name: str) -> str:
    """What the record must say."""
    known = {"agent": version("pydantic-ai-slim"), "acp": "unknown"}
    return known[name] if name in known else PRODUCTS[name].pinned


def metered(scene: Scene, spend: dict[str, Any], facts: list[dict[str, Any]]) -> None:
    """Every call that reached the model was charged, and nothing else: turns, tokens, and what the list says they cost."""
    calls = [seen for seen in scene.server.journal if seen.script is not None]
    work = len(scene.server.work)
    assert work == (1 if scene.name == "acp" else 1 + 12)
    assert all(seen.ended == "whole" for seen in calls)
    settled = [fact for fact in facts if fact["kind"] == "model_settled"]
    assert [fact["how"] for fact in settled] == ["counted"] * len(calls)
    assert sum(fact["spend"]["turns"] for fact in settled) == len(calls)
    assert spend["turns"] == len(calls) + (scene.name == "acp")  # its program asks at the door, which is a turn
    assert spend["tokens"] == sum(seen.input + seen.output for seen in calls)
    assert Decimal(spend["usd"]) == sum(map(price, calls))
    charged = [row for row in scene.account()["evidence"] if row["action"] == "charge a model call"]
    assert len(charged) == len(calls)
    assert all(row["object"].startswith("genai-prices ") for row in charged)


def nothing_planted_ran(facts: list[dict[str, Any]]) -> None:
    """What a hostile repository brings for its agents was not there: not started, not loaded, not published."""
    started = [fact for fact in facts if fact["kind"] == "decided" and "hooked" in json.dumps(fact)]
    assert started == []
    ended = next(fact for fact in facts if fact["kind"] == "changes_judged")
    assert not [change for change in ended.get("judged", ()) if "hooked" in json.dumps(change)]


def published(scene: Scene, before: dict[str, Any]) -> None:
    """The release, its exceptions, and nothing besides."""
    after = everything(scene)
    listed = after["tree"].pop("broken-links.md")
    assert [line for line in listed.splitlines() if line.startswith("docs/")] == ["docs/reading.md:5: rota.md"]
    if scene.name == "acp":
        after["tree"].pop(ACCOUNT_OF_ACP)
        before["tree"] = {path: after["tree"][path] if path == "CHANGELOG.md" else text for path, text in before["tree"].items()}
        assert "## [v2.4.0]" in after["tree"]["CHANGELOG.md"]
        wanted = expected({**before["tree"], "CHANGELOG.md": scene.git("show", f"{before['head']}:CHANGELOG.md") + "\n"})
        wanted["CHANGELOG.md"] = after["tree"]["CHANGELOG.md"]
    else:
        wanted = expected(before["tree"])
    assert after["tree"] == wanted
    assert set(PLANTED) <= set(after["tree"])
    assert after["status"] == ""
    assert scene.git("merge-base", before["head"], "HEAD") == before["head"]
    still = ("remote", "branches", "config", "hooks", "configuration")
    assert {name: after[name] for name in still} == {name: before[name] for name in still}


def keys(scene: Scene) -> None:
    """The real key was shown to the provider and to nobody else; the box had the run's token."""
    assert {seen.key for seen in scene.server.journal} == {scene.key}
    environments, files, found, token = inspected(scene)
    assert (found, token) == (0, 0 if scene.name == "agent" else 1)  # the light agent's model is called from outside
    assert environments >= 2
    assert files >= 10
    kept = [path for path in scene.home.rglob("*") if path.is_file() and scene.key.encode() in path.read_bytes()]
    assert kept == []
    assert scene.key not in scene.quick("export", "--all").stdout
    assert scene.key not in json.dumps(scene.tree())
