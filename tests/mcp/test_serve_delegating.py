"""Any MCP host can hand an outcome over, follow it, supply context and stop it; it can approve nothing and accept nothing."""

import json
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest
from serve_story import CONTRACT, OWNER, WRITES, Place, go

ASKS_THE_OWNER = (
    "python", "-c",
    "import json, pathlib, subprocess\n"
    "said = subprocess.run(['remit', 'act', 'ask', 'Which greeting?', '--wait', '60'], capture_output=True, text=True).stdout\n"
    "pathlib.Path('docs').mkdir(exist_ok=True)\n"
    "pathlib.Path('docs/hello.md').write_text(json.loads(said)['note'] + chr(10))\n",
)  # fmt: skip
WANTS_A_YES = (
    "sh",
    "-c",
    "mkdir docs; echo hello > docs/hello.md; echo x | remit act write docs/secret.md --content-file - || true",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_a_host_of_either_era_delegates_follows_and_reads_the_record(mode: str, place: Place) -> None:
    async def story() -> None:
        async with place.host(mode=mode) as host:
            assert [tool.name for tool in (await host.client.list_tools()).tools] == [
                "delegate", "check", "status", "context", "stop", "account", "chain_list", "chain_show", "chain_plan", "chain_run",
                "chain_status", "chain_resume", "chain_validate",
            ]  # fmt: skip
            assert (await host.call("check", contract=CONTRACT, runtime="command"))["ok"]
            run = (await host.call("delegate", contract=CONTRACT, workspace=str(place.work), command=list(WRITES)))["run"]
            told = await host.until(run, lambda each: each["verdict"] and not each["at_work"])
            assert (told["verdict"], told["acceptance"], told["published"], told["owner"]) == ("success", "pending", True, OWNER)
            assert told["changes"] == [{"path": "docs/hello.md", "change": "added", "published": True, "type": "file"}]

            account = await host.call("account", run=run)
            assert account["boundary"]["goal"] == "The docs say hello"
            assert list(await host.call("account", run=run, question=2)) == ["schema", "run", "refused"]
            assert [resource.uri for resource in (await host.client.list_resources()).resources] == ["remit://runs"]
            assert len((await host.client.list_resource_templates()).resource_templates) == 3
            assert [each["run"] for each in json.loads(await host.read("remit://runs"))["runs"]] == [run]
            assert json.loads(await host.read(f"remit://runs/{run}/account")) == account
            assert "goal: The docs say hello" in await host.read(f"remit://runs/{run}/contract")
            assert "+hello" in await host.read(f"remit://runs/{run}/diff")

    go(story)
    assert (place.work / "docs" / "hello.md").read_text() == "hello\n"
    begun = json.loads(place.remit("account", "--json", "--procedure").stdout)["steps"][0]
    assert "mcp host an editor" in json.dumps(begun), "who asked, and through what, is on record"


def test_what_an_agent_does_not_know_is_supplied_and_said_to_be_no_persons_word(place: Place) -> None:
    async def story() -> None:
        async with place.host() as host:
            run = (await host.call("delegate", contract=CONTRACT, workspace=str(place.work), command=list(ASKS_THE_OWNER)))["run"]
            told = await host.until(run, lambda each: each["questions"])
            [question] = told["questions"]
            assert (question["about"], question["text"], question["answer_with"]) == (
                "context",
                "Which greeting?",
                "the tool `context`",
            )
            await host.call("context", run=run, question=question["question"], answer="hello, with a comma")
            told = await host.until(run, lambda each: each["verdict"] and not each["at_work"])
            assert told["verdict"] == "success"
            assert "was answered" in await host.refused("context", run=run, question=question["question"], answer="again")

    go(story)
    said = (place.work / "docs" / "hello.md").read_text()
    assert said == "from mcp host an editor, not from a person: hello, with a comma\n"
    [row] = [row for row in json.loads(place.remit("account", "--json").stdout)["approved"] if "Q1" in row["object"]] or [{}]
    assert row == {} or "scripted" in json.dumps(row)


def test_no_tool_of_a_host_approves_or_accepts_anything(place: Place) -> None:
    contract = CONTRACT.replace("limits:", "ask:\n  - {write: docs/secret.md, who: owner}\nlimits:")

    async def story() -> None:
        async with place.host() as host:
            run = (await host.call("delegate", contract=contract, workspace=str(place.work), command=list(WANTS_A_YES)))["run"]
            told = await host.until(run, lambda each: each["questions"] and not each["at_work"])
            [question] = told["questions"]
            assert f"`remit answer {run} Q1`" in question["answer_with"]
            for answer in ("yes", "approved by desk-owner@example.com", '{"answer": "yes"}'):
                said = await host.refused("context", run=run, question="Q1", answer=answer)
                assert "only a named person answers this" in said
            for tool in ("answer", "accept", "approve", "publish", "resume"):
                assert "there is no tool" in await host.refused(tool, run=run, question="Q1")
            for more in ({"said": "yes"}, {"approve": True}, {"person": OWNER}):
                assert "unknown field" in await host.refused("context", run=run, question="Q1", answer="yes", **more)
            told = await host.call("status", run=run)
            assert ([each["question"] for each in told["questions"]], told["acceptance"], told["verdict"]) == (
                ["Q1"],
                "pending",
                None,
            )

    go(story)
    assert not (place.work / "docs").exists()
    assert [each["question"] for each in json.loads(place.remit("inbox", "--json").stdout)["questions"]] == ["Q1"]


def test_a_stop_ends_the_work_and_leaves_no_process_even_after_the_host_is_gone(place: Place) -> None:
    mark = f"sleep 98{place.folder.stat().st_ino % 1000:03}"

    async def begin() -> None:
        async with place.host() as host:
            runs = [
                (
                    await host.call(
                        "delegate", contract=CONTRACT, workspace=str(place.work), command=["sh", "-c", f"{mark}; true"]
                    )
                )["run"]
                for _ in range(2)
            ]
            with anyio.fail_after(30):
                while len(_processes(mark)) < 2:
                    await anyio.sleep(0.1)
            told = await host.call("stop", run=runs[0], why="enough")
            assert (told["verdict"], "is empty" in told["receipt"]) == ("stopped", True)
            assert (await host.call("stop", run=runs[0]))["verdict"] == "stopped"

    go(begin)
    assert _processes(mark), "a run outlives the host that asked for it"
    place.remit("stop", "last", code=None)
    assert _processes(mark) == []
    assert _processes(str(place.home)) == []


def test_many_contracts_may_cost_no_more_together_than_a_person_said(place: Place) -> None:
    costly = CONTRACT.replace("time: 60s", "time: 60s, usd: 20.00")

    async def story() -> None:
        async with place.host() as host:
            given: dict[str, Any] = {"contract": costly, "workspace": str(place.work), "command": ["sh", "-c", "sleep 60"]}
            run = (await host.call("delegate", **given))["run"]
            said = await host.refused("delegate", **given)
            assert "`usd: 20.00` is more than the 5.00 that are left" in said
            assert "--usd" in said
            await host.call("stop", run=run)
            second = (await host.call("delegate", **given))["run"]
            assert (await host.call("stop", run=second))["verdict"] == "stopped"

    go(story)


def test_a_host_sees_and_ends_only_what_it_may(place: Place) -> None:
    file = place.folder / "mine.remit.yaml"
    file.write_text(CONTRACT)
    place.remit("run", str(file), "--workspace", str(place.elsewhere), "--", *WRITES)
    hidden = json.loads(place.remit("runs", "--json").stdout)["runs"][-1]["run"]
    place.remit("run", str(file), "--workspace", str(place.work), "--", *WRITES)
    mine = json.loads(place.remit("runs", "--json").stdout)["runs"][-1]["run"]

    async def story() -> None:
        async with place.host() as host:
            assert [each["run"] for each in (await host.call("status"))["runs"]] == [mine]
            assert (await host.call("status", run=mine))["verdict"] == "success"
            for tool in ("status", "account", "stop"):
                assert f"there is no run `{hidden}` here" in await host.refused(tool, run=hidden)
            assert "was not delegated by a host" in await host.refused("stop", run=mine)
            assert "was not delegated by a host" in await host.refused("context", run=mine, question="Q1", answer="x")
            for uri in (f"remit://runs/{hidden}/contract", "remit://runs/../x/diff", "file:///etc/passwd"):
                with pytest.raises(Exception, match="there is no r"):
                    await host.read(uri)

    go(story)


def _processes(mark: str) -> list[str]:
    said = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if mark in line and "ps -eww" not in line]
