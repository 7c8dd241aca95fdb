"""Any MCP host can hand an outcome over, follow it, supply context and stop it; it can approve nothing and accept nothing."""

from pathlib import Path

import pytest
from serve_story import CONTRACT, WRITES, Place, go


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_a_host_of_either_era_delegates_and_follows_to_the_end(mode: str, place: Place) -> None:
    async def story() -> None:
        async with place.host(mode=mode) as host:
            tools = {tool.name for tool in (await host.client.list_tools()).tools}
            assert tools == {"delegate", "check", "status", "context", "stop", "account"}
            assert (await host.call("check", contract=CONTRACT, runtime="command"))["ok"]
            begun = await host.call("delegate", contract=CONTRACT, workspace=str(place.work), command=list(WRITES))
            told = await host.until(begun["run"], lambda each: each["verdict"] and not each["at_work"])
            assert (told["verdict"], told["acceptance"], told["published"]) == ("success", "pending", True)
            print(told)

    go(story)
    assert (place.work / "docs" / "hello.md").read_text() == "hello\n"
