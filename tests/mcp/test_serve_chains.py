"""Any MCP host can have a chain of skills planned, carried out, followed and judged; it confirms, answers and accepts nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from serve_story import OWNER, Host, Place, go

from remit.errors import BadInput
from remit.mcp.server.chain_wanted import CHAIN_READS, CHAIN_WANTS
from remit.mcp.server.wanted import ONLY_READS, WANTS, read

AGENT = """\
import os, pathlib, re, subprocess, sys
brief = pathlib.Path(os.environ["REMIT_TASK"]).read_text()
name = re.search(r"- Name: (.*)", brief).group(1)
invocation = re.search(r"- Invocation: (.*)", brief).group(1)
told = subprocess.run(["remit", "act", "call", "Skill", "--arg", "skill=" + invocation], capture_output=True, text=True)
if name == "fails":
    sys.exit("it does not work <b>")
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out", name + ".md").write_text(name + " is well done\\n")
print("SKILL COMPLETE: %s\\nFILES CREATED:\\n- out/%s.md\\n- out/nowhere.md\\nKEY DECISIONS:\\n- kept small\\nOUTPUTS FOR NEXT SKILL:\\n- p: out/%s.md" % (name, name, name))
"""
CHAIN = """\
name: two
title: Two skills
goal: Both are done
runtime: command
command: [python, -c, AGENT]
steps:
  - skill: first
  - {skill: SECOND, after: [first]}
deliverables:
  - {name: First, by: first, files: [out/first.md]}
  - {name: Second, by: SECOND, files: [out/SECOND.md]}
"""


class Shop(Place):
    """A place whose workspace has skills, and chain files of an agent and of a person."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in ("first", "second", "fails"):
            (self.work / "skills" / name).mkdir(parents=True)
            (self.work / "skills" / name / "SKILL.md").write_text(
                f"---\nname: {name}\ndescription: Does what {name} does.\n---\n\n# {name}\n\nDo {name}.\n"
            )
        self.env["HOME"] = str(self.home)
        self.chain("two", self.text("second"))
        self.chain("troubled", self.text("fails"))

    def text(self, second: str) -> str:
        return CHAIN.replace("AGENT", json.dumps(AGENT)).replace("SECOND", second)

    def chain(self, name: str, text: str, where: Path | None = None) -> Path:
        path = (where or self.work) / f"{name}.chain.yaml"
        path.write_text(text)
        return path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def until(host: Host, run: str, holds: Any) -> dict[str, Any]:
    """The status of the chain once it holds."""
    import anyio

    with anyio.fail_after(90):
        while True:
            told = await host.call("chain_status", run=run)
            if holds(told):
                return told
            await anyio.sleep(0.1)


def test_a_host_lists_plans_carries_out_follows_and_judges_a_chain(shop: Shop) -> None:
    async def story() -> None:
        async with shop.host() as host:
            here = {"workspace": str(shop.work)}
            names = {tool.name: tool.annotations.read_only_hint for tool in (await host.client.list_tools()).tools}
            assert {name: names[name] for name in CHAIN_WANTS} == {name: name in CHAIN_READS for name in CHAIN_WANTS}
            rows = {row["name"]: row for row in (await host.call("chain_list", **here))["chains"]}
            assert (rows["two"]["kind"], rows["two"]["chains"], rows["two"]["deliverables"]) == (
                "chain file", [{"name": "", "skills": 2}], 2,
            )  # fmt: skip
            shown = await host.call("chain_show", name="two", **here)
            assert [step["step"] for step in shown["steps"]] == ["first", "second"]
            plan = await host.call("chain_plan", name="two", mode="delegated", **here)
            assert [(step["step"], step["wave"], step["after"]) for step in plan["steps"]] == [
                ("first", 1, []),
                ("second", 2, ["first"]),
            ]
            assert "only_a_person_may_give" not in plan
            assert "goal: Both are done" in plan["contract"]
            assert (await host.call("status"))["runs"] == [], "a plan starts nothing"

            begun = await host.call("chain_run", name="two", mode="delegated", **here)
            run = begun["run"]
            assert (begun["owner"], begun["mode"], begun["steps"]) == (OWNER, "delegated", ["first", "second"])
            told = await until(host, run, lambda each: each["verdict"] and not each["at_work"])
            assert (told["verdict"], told["acceptance"], told["over"], told["complete"]) == (
                "success",
                "pending",
                "complete",
                2,
            ), told
            assert told["confirmed"] == "nobody was asked"
            assert (told["validation"]["status"], told["validation"]["verified"]) == ("PASS", 2)
            first = told["steps"][0]
            assert (first["state"], first["claimed_and_not_there"], first["decisions"]) == (
                "complete",
                ["out/nowhere.md"],
                ["kept small"],
            )
            (shop.work / "out" / "second.md").unlink()
            for which in ({"run": run}, {"name": "two", **here}):
                judged = await host.call("chain_validate", **which)
                assert (judged["verified"], judged["expected"], judged["missing"]) == (1, 2, ["Second"])
            assert "has ended" in await host.refused("chain_resume", run=run)
            assert "is no chain" in await host.refused("chain_status", run=judged["run"])

    go(story)
    assert (shop.work / "out" / "first.md").exists()


def test_trouble_waits_for_the_owner_and_no_tool_answers_it(shop: Shop) -> None:
    async def story() -> None:
        async with shop.host() as host:
            run = (await host.call("chain_run", name="troubled", mode="delegated", workspace=str(shop.work)))["run"]
            told = await until(host, run, lambda each: each["questions"] and not each["at_work"])
            [question] = told["questions"]
            assert (question["about"], question["options"]) == ("step", ["retry", "skip", "abort"])
            assert question["reason"].startswith("failed: ")
            assert f"`remit answer {run} {question['question']}`" in question["answer_with"]
            for answer in ("skip", "retry", "yes"):
                said = await host.refused("context", run=run, question=question["question"], answer=answer)
                assert "only a named person answers this" in said
            for tool in ("chain_answer", "chain_confirm", "chain_skip", "chain_accept"):
                assert "there is no tool" in await host.refused(tool, run=run)
            for more in ({"yes": True}, {"unattended": True}, {"confirmed": OWNER}, {"answers": {"Q1": "skip"}, "said": "skip"}):
                assert "unknown field" in await host.refused("chain_run", name="two", workspace=str(shop.work), **more)
            assert (await host.call("chain_resume", run=run))["questions"] == [question["question"]]
            told = await until(host, run, lambda each: not each["at_work"])
            assert [(step["name"], step["state"]) for step in told["steps"]] == [("first", "complete"), ("fails", "failed")]
            shop.remit("answer", run, question["question"], "skip", code=None)
            told = await until(host, run, lambda each: each["steps"][1]["state"] == "skipped" and not each["at_work"])
            assert told["steps"][1]["skipped_by"] == OWNER
            assert told["verdict"] or [each["options"] for each in told["questions"]] == [["generate", "accept"]]

    go(story)


def test_a_host_is_held_to_the_folders_the_programs_and_the_mandate(shop: Shop) -> None:
    outside = shop.text("second") + "may: []\n"
    shop.chain("theirs", shop.text("second"), shop.elsewhere)
    (shop.work / "linked.chain.yaml").symlink_to(shop.elsewhere / "theirs.chain.yaml")
    shop.chain("broken", outside)
    shop.chain("lets-out", shop.text("second").replace("- skill: first", "- {skill: first, may: [{push: main}]}"))
    shop.chain("starts", shop.text("second").replace("- skill: first", "- {skill: first}\n  - {id: make, run: [make, docs]}"))
    shop.chain("a-persons", shop.text("second").replace("command: [python", "command: [env, python"), shop.contracts)

    async def story() -> None:
        async with shop.host() as host:
            here: dict[str, Any] = {"workspace": str(shop.work), "mode": "delegated"}
            for tool in ("chain_list", "chain_show", "chain_plan", "chain_run", "chain_validate"):
                given = {} if tool == "chain_list" else {"name": "theirs"}
                assert "not among the folders" in await host.refused(tool, workspace=str(shop.elsewhere), **given)
            for name in ("linked", "theirs", "../elsewhere/theirs", str(shop.elsewhere / "theirs.chain.yaml")):
                assert "is called" in await host.refused("chain_run", name=name, **here)
            assert "such as `two`" in await host.refused("chain_show", name="twoo", workspace=str(shop.work))
            said = await host.refused("chain_run", name="lets-out", **here)
            assert "step `first`: `may: push main` leaves the workspace" in said
            said = await host.refused("chain_run", name="starts", **here)
            assert "step `make` starts the program `make docs`" in said
            assert "--allow-program make" in said
            plan = await host.call("chain_plan", name="starts", **here)
            assert "--allow-program" in plan["only_a_person_may_give"][0]
            assert "--allow-program" in await host.refused("chain_run", name="two", command=["perl", "-e", "1"], **here)
            assert "only_a_person_may_give" not in await host.call("chain_plan", name="a-persons", **here), "a person wrote it"
            assert "--allow-program" in await host.refused("chain_run", name="a-persons", command=["perl"], **here)
            assert "cannot be carried out" in await host.refused("chain_run", name="broken", **here)
            assert "nobody is named who does" in await host.refused("chain_run", skills=["first"], goal="It is done", **here)
            assert "there is no runtime" in await host.refused("chain_run", name="two", runtime="magic", **here)
            assert "which chain?" in await host.refused("chain_plan", **here)
            assert "means nothing for a chain file" in await host.refused("chain_plan", name="two", skills=["first"], **here)
            assert "give either" in await host.refused("chain_validate")
            assert "there is no run" in await host.refused("chain_status", run="nothing")
            said = await host.refused("chain_run", skills=["first"], goal="It is done", runtime="claude", usd=9000.0, **here)
            assert "what hosts may spend in 24 hours" in said
            assert (await host.call("status"))["runs"] == [], "nothing of all that was started"

    go(story)


def test_a_chain_that_a_person_began_is_followed_and_not_driven_by_a_host(shop: Shop) -> None:
    shop.remit("chain", "run", "troubled", "--workspace", str(shop.work), "--yes", "--mode", "delegated", code=None)
    run = json.loads(shop.remit("runs", "--json").stdout)["runs"][-1]["run"].split(".")[0]

    async def story() -> None:
        async with shop.host() as host:
            told = await host.call("chain_status", run=run)
            assert told["confirmed"].startswith(OWNER)
            assert "was not delegated by a host" in await host.refused("chain_resume", run=run)

    go(story)


def test_a_contract_file_of_a_person_is_the_contract_of_the_chain(shop: Shop) -> None:
    plan = shop.remit("chain", "plan", "two", "--workspace", str(shop.work), "--mode", "delegated").stdout
    own = "\n".join(line[2:] for line in plan.partition("\ncontract:\n")[2].splitlines()).replace(
        "Both are done", "By my own contract"
    )
    (shop.contracts / "mine.remit.yaml").write_text(own)

    async def story() -> None:
        async with shop.host() as host:
            here: dict[str, Any] = {"workspace": str(shop.work), "mode": "delegated", "name": "two"}
            assert "there is no contract" in await host.refused("chain_run", contract_file="nothing.remit.yaml", **here)
            run = (await host.call("chain_run", contract_file="mine.remit.yaml", **here))["run"]
            told = await until(host, run, lambda each: each["verdict"] and not each["at_work"])
            assert told["verdict"] == "success"
            assert (await host.call("status", run=run))["goal"] == "By my own contract"

    go(story)


@pytest.mark.parametrize("name", list(CHAIN_WANTS))
def test_what_a_host_sends_is_bounded_and_refused_in_words(name: str) -> None:
    assert WANTS[name] is CHAIN_WANTS[name]
    assert (name in ONLY_READS) is (name in CHAIN_READS)
    for wrong in ({"surprise": 1}, {"workspace": 3}, {"run": ["x"]}):
        with pytest.raises(BadInput, match=name):
            read(name, {"workspace": "/w", "name": "n", "run": "r", **wrong})


@pytest.mark.parametrize(
    "wrong",
    [{"goal": "x" * 3000}, {"skills": ["x"] * 500}, {"name": "x" * 300}, {"answers": {"Q1": "x" * 300}}, {"usd": -1}, {"mode": "fast"}],
)  # fmt: skip
def test_a_wish_that_is_too_large_or_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="chain_run"):
        read("chain_run", {"workspace": "/w", **wrong})
