"""The real runtimes in their real boxes invoke a skill: it is on record because remit gave it, and its end is told in their words."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from real_worlds import ACP_AGENT, MODELS, PLACES, PRODUCTS, executable

from remit.app import engine
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.outcome import FileCheck
from remit.contract.party import Organisation, Person
from remit.contract.rule import Rule
from remit.plan.skill_call import skill_rule, skill_tool
from remit.plan.step import Pinned
from remit.ports import Job
from remit.run.chained import Reported, SkillInvoked
from remit.run.event import Decided, Event, Started
from remit.testing.models import Final, Read, Script, Skill, Write, served

OWNER = "release-lead@example.com"
NAME = "words:greeting"
TEXT = "---\nname: greeting\ndescription: Says hello.\n---\n\n# Greeting\n\nAlways greet kindly-7391. See references/tone.md.\n"
MODEL = MODELS | {"agent": "openai:gpt-5.1"}
"""that of the light agent is called in this very process, where a warning of the vendor's library is an error"""
LAST = "SKILL COMPLETE: greeting\n\nFILES CREATED:\n- docs/hello.md\n"


def pinned(folder: Path) -> Pinned:
    place = folder / "greeting"
    (place / "references").mkdir(parents=True)
    (place / "references" / "tone.md").write_text("tone-4821: kindly\n")
    (place / "SKILL.md").write_text(TEXT)
    digest = f"sha256:{hashlib.sha256(TEXT.encode()).hexdigest()}"
    return Pinned(name="greeting", invocation=NAME, folder=str(place), digest=digest)


def started(folder: Path, name: str, mine: Pinned) -> Started:
    """A run of one step of a chain, as the coordinator begins it."""
    may = [("read", "**"), ("write", "docs/**")]
    rules = tuple(Rule(id=f"may-{verb}", effect="may", verb=verb, objects=(objects,)) for verb, objects in may)  # type: ignore[arg-type]
    contract = Contract(
        goal="Greet", owner=OWNER, rules=(*rules, skill_rule((NAME,))), tools=(skill_tool(),), recovery=(),
        success=(FileCheck(id="hello", file="docs/hello.md", matches="hello"),), limits=Limits(time=240, turns=40, tokens=2_000_000),
    )  # fmt: skip
    steps: list[dict[str, Any]] = [
        {"do": "skill", "skill": NAME}, {"do": "skill", "skill": "words:farewell"},
        {"do": "write", "path": "docs/hello.md", "text": "hello\n", "how": "asked"}, {"do": "final", "text": LAST},
    ]  # fmt: skip
    script = f"script: {json.dumps(steps)}" if name == "acp" else "[[script: step]]"
    return Started(
        run="r1", contract=contract, organisation=Organisation(people=(Person(id=OWNER),)), workspace=str(folder / "work"),
        command=("python3", "-IS", str(ACP_AGENT)) if name == "acp" else (), trigger="a test", runtime=name, model=MODEL[name],
        visible=(str(ACP_AGENT.parent),) if name == "acp" else (), skills=(mine,), brief=f"Use the Skill tool to invoke: {NAME}\n{script}\n",
    )  # fmt: skip


async def driven(home: Path, fact: Started) -> tuple[str | None, list[Event]]:
    """Until it ends."""
    with anyio.fail_after(200):
        async with engine(home) as supervisor:
            async with supervisor.hands.ledger.transaction() as transaction:
                transaction.append(fact)
                transaction.submit(Job(id="r1:start", run="r1"))
            run = await supervisor.drive("r1")
            return run.verdict, [each.event for each in await supervisor.hands.ledger.events("r1")]


def environ(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendors are the scripted server, and the program is where the driver looks for it."""
    for each in ("ANTHROPIC", "OPENAI", "GEMINI"):
        monkeypatch.setenv(f"{each}_API_KEY", "a-real-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)
    if name in PRODUCTS:
        monkeypatch.setenv(PRODUCTS[name].variable, str(executable(name)))
    node = next(iter(sorted(PLACES.glob("node/node_modules/*/bin"))), None)
    if node is not None:
        monkeypatch.setenv("PATH", f"{node}:{os.environ['PATH']}")


WHERE = [(name, "library") for name in MODELS] + [
    (name, "work/.claude/skills") for name in ("agent", "claude", "gemini", "opencode")
]
"""runtimes with a reading tool of their own read beside the skill, too, where its own place is hidden and it is copied"""


@pytest.mark.parametrize(("name", "where"), WHERE)
def test_a_real_runtime_invokes_its_skill_and_no_other(
    tmp_path: Path, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "docs").mkdir(parents=True)
    (tmp_path / "home").mkdir(mode=0o700)
    mine = pinned(tmp_path / where)
    at = mine.folder if where == "library" else "/run/remit/skills/greeting"
    reads = () if name == "codex" else (Read(path=f"{at}/references/tone.md"),)
    steps = (
        Skill(skill=NAME),
        *reads,
        Skill(skill="words:farewell"),
        Write(path="docs/hello.md", text="hello\n"),
        Final(text=LAST),
    )
    with served([Script(name="step", steps=steps)]) as server:
        environ(name, server.url, monkeypatch)
        verdict, told = anyio.run(driven, tmp_path / "home", started(tmp_path, name, mine))
        heard = "".join(seen.body.decode(errors="replace") for seen in server.journal)
    invoked = [each for each in told if isinstance(each, SkillInvoked)]
    assert [(each.skill, each.digest, each.changed) for each in invoked] == [(NAME, mine.digest, False)]
    calls = [each for each in told if isinstance(each, Decided) and each.action.verb == "call"]
    assert [(each.action.arguments, each.decision) for each in calls] == [
        ({"skill": NAME}, "allow"),
        ({"skill": "words:farewell"}, "refuse"),
    ]
    [words] = [each for each in told if isinstance(each, Reported)]
    assert "SKILL COMPLETE: greeting" in words.text.splitlines() and "- docs/hello.md" in words.text.splitlines()
    if name != "acp":
        assert "Always greet kindly-7391." in heard and f"this run is for `{NAME}` only" in heard
        assert not reads or "tone-4821" in heard
    assert verdict == "success"
