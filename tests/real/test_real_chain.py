"""Chains whose steps the light agent does: every sub-agent a fresh conversation with a model that is moved by a script of its own."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute
from anyio.from_thread import start_blocking_portal
from chains_at_work import LIBRARY, Chains, place_of
from msgspec.structs import replace
from real_worlds import MODELS
from wanting import fitting

from remit.cli.chain.planning import planned
from remit.cli.chain.wish import Wish
from remit.plan.step import Plan
from remit.testing.models import Final, ModelServer, Script, Skill, Write
from remit.testing.models.connection import Reply, Request

BLOCK = re.compile(r"^```\S* file=(\S+)\n(.*?)^```$", re.M | re.S)
KEY = "sk-real-0123456789"


class ByName(ModelServer):
    """A model server that answers each conversation by the script of the skill that its task names."""

    def _reply(self, request: Request) -> tuple[int, Reply]:
        marked = re.sub(rb"- Name: ([a-z-]+)", rb"- Name: \1 [[script: \1]]", request.body)
        return super()._reply(replace(request, body=marked))


@contextmanager
def serving(scripts: list[Script]) -> Iterator[ByName]:
    """It listens on loopback, in a thread of its own."""

    async def listen(server: ByName, *, task_status: Any) -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        server.url = f"http://127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}"
        async with listener:
            task_status.started()
            await listener.serve(server.serve)

    server = ByName({script.name: script for script in scripts}, fallback="nobody")
    with start_blocking_portal() as portal:
        going, _ = portal.start_task(listen, server)
        yield server
        going.cancel()


def script(name: str, invocation: str, files: dict[str, str]) -> Script:
    """What the model does in one step: ask for its skill, write what it owes, say so."""
    said = "\n".join(f"- {path}" for path in files)
    last = f"SKILL COMPLETE: {name}\n\nFILES CREATED:\n{said}\n\nKEY DECISIONS:\n- manner: as {name} says\n\nOUTPUTS FOR NEXT SKILL:\n- {name}: done"
    return Script(
        name=name,
        steps=(Skill(skill=invocation), *(Write(path=path, text=text) for path, text in files.items()), Final(text=last)),
    )


def scripts(plan: Plan, files: dict[str, dict[str, str]]) -> list[Script]:
    return [script(step.id, step.skill.invocation, files[step.id]) for step in plan.steps if step.skill is not None]


def carried_out(world: Chains, server: ByName, name: str, *options: str) -> dict[str, Any]:
    """The chain, done by the light agent."""
    world.env |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}
    who = ("--runtime", "agent", "--model", MODELS["agent"])
    words = ("chain", "run", name, "--goal", "RAG pipeline with chat interface", *world.words(*options), *who)
    world.remit(*words)
    return world.status()


def wished(name: str, places: tuple[Path, ...], maturity: str, **answers: str) -> Plan:
    return planned(
        Wish(
            name=name, goal="g", maturity=maturity, library=places, answers=answers, flags={}, instead={}, runtime="agent",
            model=MODELS["agent"],
        )
    ).plan  # fmt: skip


def alone(server: ByName, plan: Plan) -> None:
    """Every conversation began anew, with its own task, and with the text of its own skill only."""
    first: dict[str, bytes] = {}
    for seen in server.work:
        assert seen.script is not None
        first.setdefault(seen.script, seen.body)
    assert sorted(first) == sorted(step.id for step in plan.steps)
    for step in plan.steps:
        text = first[step.id].decode()
        assert "You are executing a single skill as part of a skillchain." in text
        for other in plan.steps:
            assert other.skill is not None
            assert (f"Use the Skill tool to invoke: {other.skill.invocation}" in text) == (other is step)


def test_the_light_agent_carries_a_blueprint_out_and_everything_that_is_due_is_there(tmp_path: Path) -> None:
    world = Chains(tmp_path)
    plan = wished("paper-answers", world.places, "intermediate", Q2="A")
    files = {step.id: dict(BLOCK.findall((LIBRARY / "skills" / step.id / "SKILL.md").read_text())) for step in plan.steps}
    with serving(scripts(plan, files)) as server:
        told = carried_out(world, server, "paper-answers", "--maturity", "intermediate", "--answer", "Q2=A")
        alone(server, plan)
    judged = told["validation"]
    assert (judged["status"], judged["completeness"], len(judged["deliverables"])) == ("PASS", 100, len(plan.deliverables))
    assert told["invoked"] and sorted(told["invoked"]) == sorted(step.skill.invocation for step in plan.steps if step.skill)
    assert all(step["tokens"] > 0 and float(step["usd"]) > 0 for step in told["steps"])
    assert KEY not in json.dumps(told) and (world.work / "src" / "answer.py").is_file()


@pytest.mark.parametrize(
    ("level", "answers"),
    [
        ("starter", {}),
        pytest.param("intermediate", {"Q3": "A"}, marks=pytest.mark.thorough),
        ("advanced", {"Q3": "A", "Q4": "C"}),
    ],
)
def test_the_light_agent_carries_the_real_rag_blueprint_out(tmp_path: Path, level: str, answers: dict[str, str]) -> None:
    world = Chains(tmp_path, place_of("REMIT_SKILL_LATER"), place_of("REMIT_SKILL_REPO"))
    plan = wished("rag-pipeline", world.places, level, **answers)
    files = {step.id: fitting([each for each in plan.deliverables if each.by == step.id]) for step in plan.steps}
    for path in [path for made in files.values() for path in made]:  # two skills may owe one file: each leaves what both owe
        both = "".join(dict.fromkeys(made[path] for made in files.values() if path in made))
        for made in files.values():
            made |= {path: both} if path in made else {}
    with serving(scripts(plan, files)) as server:
        said = [word for key, value in answers.items() for word in ("--answer", f"{key}={value}")]
        told = carried_out(world, server, "rag-pipeline", "--maturity", level, *said)
        alone(server, plan)
    judged = told["validation"]
    assert (judged["status"], judged["completeness"], len(judged["deliverables"])) == ("PASS", 100, len(plan.deliverables))
    assert {step["status"] for step in told["steps"]} == {"complete"}
    assert os.environ["REMIT_SKILL_REPO"] not in " ".join(world.tree())
