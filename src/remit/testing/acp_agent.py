"""An ACP agent without a model: it does what a script in its prompt says, well or as a rogue. Standard library only.

    python3 -IS acp_agent.py        (`acp_deeds.py` lies beside it)

The prompt holds `script:` and a JSON list of steps; `acp_deeds` says which there are. `{"do": "final", "text": …}` ends a turn,
and the steps after it wait for the next prompt. What it did is told in its messages, one `did STEP: OUTCOME` each, so that an
attack that never began is not taken for one that was stopped. On purpose it is made without the SDK: it can speak wrongly, too.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from importlib import import_module
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OPTIONS = (("yes", "allow_once"), ("for ever", "allow_always"), ("no", "reject_once"), ("never", "reject_always"))


class Left(Exception):
    """The client asked to leave off, or is gone."""


class Agent:
    """The line to the client, and the state of the one session."""

    def __init__(self) -> None:
        self.cwd = Path.cwd()
        self.steps: list[dict[str, Any]] = []
        self.servers: list[dict[str, Any]] = []
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.wanted: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.cancelled = threading.Event()
        self.deaf = False
        self._number = 0
        self._lock = threading.Lock()

    def raw(self, data: bytes) -> None:
        """Bytes to the client, as they are."""
        with self._lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def tell(self, **message: Any) -> None:
        """One message."""
        self.raw(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def update(self, **update: Any) -> None:
        """What the client is told about the session."""
        self.tell(method="session/update", params={"sessionId": "s", "update": update})

    def say(self, text: str) -> None:
        """A piece of the agent's message."""
        self.update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        """A request of the client, and its answer. Raises Left when the client leaves off first."""
        self._number += 1
        own = self._number
        self.tell(id=own, method=method, params={"sessionId": "s", **params})
        while True:
            try:
                answer = self.answers.get(timeout=0.05)
            except queue.Empty:
                self.stay()
                continue
            if answer.get("id") == own:
                return answer

    def stay(self) -> None:
        """Raises Left where an agent that listens would end its turn."""
        if self.cancelled.is_set() and not self.deaf:
            raise Left

    def call(self, kind: str, title: str, *, given: dict[str, Any] | None = None, path: str = "") -> str:
        """Announce a tool call and return its id."""
        self._number += 1
        id_ = f"call-{self._number}"
        places = [{"path": path}] if path else []
        told = {"toolCallId": id_, "kind": kind, "title": title, "rawInput": given or {}, "locations": places}
        self.update(sessionUpdate="tool_call", status="pending", **told)
        return id_

    def permitted(self, id_: str) -> str:
        """Ask for it. The kind of the option that was chosen, or `cancelled`."""
        options = [{"optionId": name, "name": name, "kind": kind} for name, kind in OPTIONS]
        answer = self.request("session/request_permission", toolCall={"toolCallId": id_}, options=options)
        outcome = (answer.get("result") or {}).get("outcome") or {}
        return dict(OPTIONS).get(str(outcome.get("optionId")), str(outcome.get("outcome")))

    def ended(self, id_: str, status: str) -> None:
        """Say how the tool call ended."""
        self.update(sessionUpdate="tool_call_update", toolCallId=id_, status=status)

    def listen(self) -> None:
        """Sort what comes in until the client closes the line."""
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if "method" not in message:
                self.answers.put(message)
            elif message["method"] == "session/cancel":
                self.cancelled.set()
            else:
                self.wanted.put(message)
        self.cancelled.set()
        self.wanted.put(None)

    def turn(self, prompt: str, deeds: Callable[[dict[str, Any]], str]) -> str:
        """Go on with the script until it ends a turn. The stop reason."""
        at = prompt.find("script:")
        if at >= 0:
            self.steps = json.JSONDecoder().raw_decode(prompt[at + len("script:") :].lstrip())[0]
        else:
            self.say(f"heard: {prompt[:4000]}\n")
        try:
            while self.steps:
                self.stay()
                step = self.steps.pop(0)
                if step["do"] == "final":
                    self.say(str(step.get("text", "done")))
                    break
                self.say(f"did {step['do']}: {deeds(step)}\n")
        except Left:
            return "cancelled"
        return "end_turn"


def serve(agent: Agent, deeds: Callable[[dict[str, Any]], str]) -> None:
    """The one session until the line is closed."""
    threading.Thread(target=agent.listen, daemon=True).start()
    while (message := agent.wanted.get()) is not None:
        params, id_ = message.get("params") or {}, message.get("id")
        match message["method"]:
            case "initialize":
                about = {"name": "conformance", "version": "1"}
                agent.tell(id=id_, result={"protocolVersion": 1, "agentCapabilities": {}, "agentInfo": about})
            case "session/new":
                agent.cwd, agent.servers = Path(params["cwd"]), list(params.get("mcpServers") or [])
                agent.tell(id=id_, result={"sessionId": "s"})
            case "session/prompt":
                said = "\n".join(part.get("text", "") for part in params["prompt"])
                try:
                    agent.tell(id=id_, result={"stopReason": agent.turn(said, deeds)})
                except Exception as error:  # noqa: BLE001 - a script that fails is told, and the next one served
                    agent.tell(id=id_, error={"code": -32603, "message": f"{type(error).__name__}: {error}"})
                agent.cancelled.clear()
            case _ if id_ is not None:
                agent.tell(id=id_, error={"code": -32601, "message": "not known"})
            case _:
                pass


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # isolated, an interpreter does not look there by itself
    whole = Agent()
    serve(whole, import_module("acp_deeds").Deeds(whole).do)
