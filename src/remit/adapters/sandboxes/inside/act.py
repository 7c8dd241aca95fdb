"""`remit` as the agent has it: ask for an act, hand in a message, ask a person. Standard library only.

One JSON line on stdout, `{"decision": …, "reasons": […], …}`; exit 0 allowed, 3 refused, 4 waiting, 2 unusable input.
With `--text`, and for `remit skill NAME`, only what came of it, as plain text; why not stands on stderr then.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DOOR = "/run/remit/door"
LINE = 1 << 20
EXITS = {"allow": 0, "done": 0, "refuse": 3, "ask": 4}


class Unusable(Exception):
    """What was given cannot be sent."""


class Number(str):
    """A number with a point, as it was written: no float stands between the words and the door."""

    __slots__ = ()


def main(argv: list[str] | None = None) -> int:
    """Send one request and print its answer."""
    given = parser().parse_args(argv)
    try:
        message = request(given)
        line = written(message).encode() + b"\n"
        if len(line) > LINE:
            raise Unusable(f"the request is larger than {LINE} bytes")
    except (Unusable, OSError, ValueError, RecursionError) as error:
        tell(refusal("INPUTS", str(error)), given.plainly)
        return 2
    try:
        answer = converse(line)
    except (OSError, ValueError) as error:
        answer = refusal("UNREACHABLE", f"no answer at the door: {error}")
    tell(answer, given.plainly)
    acknowledge(answer)
    return EXITS.get(str(answer.get("decision")), 3)


def acknowledge(answer: dict[str, object]) -> None:
    """Say that the end of an effect was read: only from then on the same request means a further one."""
    if answer.get("state") not in ("done", "refused") or not answer.get("draft"):
        return
    sys.stdout.flush()
    try:
        converse(written({"schema": "remit.act/1", "verb": "got", "object": answer["draft"]}).encode() + b"\n")
    except (OSError, ValueError):
        return  # then the same request is told the same end once more


def refusal(code: str, why: str) -> dict[str, object]:
    """An answer of the helper's own, in the shape of all others."""
    reason = {"code": code, "rule": None, "contract": "", "why": why, "instead": ""}
    return {"schema": "remit.act/1", "decision": "refuse", "reasons": [reason], "done": False}


def tell(answer: dict[str, object], plainly: bool = False) -> None:
    """One JSON line for whoever asked; or plainly what came of it, or why nothing did."""
    if not plainly:
        sys.stdout.write(written(answer) + "\n")
    elif answer.get("decision") == "allow":
        output = answer.get("output", "")
        text = output if isinstance(output, str) else written(output)
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    else:
        sys.stderr.write(why(answer) + "\n")


def why(answer: dict[str, object]) -> str:
    """Reasons for a person, and for a model that reads what programs print."""
    reasons = answer.get("reasons")
    found = [each for each in reasons if isinstance(each, dict)] if isinstance(reasons, list) else []
    lines = [f"remit: {each['why']}" for each in found if each.get("why")]
    lines += [f"instead: {each['instead']}" for each in found if each.get("instead")]
    if answer.get("question"):
        lines.append(f"question {answer['question']} is before a person")
    return "\n".join(dict.fromkeys(lines)) or "remit: refused"


def parser() -> argparse.ArgumentParser:
    """The words the helper knows."""
    top = argparse.ArgumentParser(prog="remit", description="Ask for what this box may not do by itself.")
    top.set_defaults(plainly=False)
    words = top.add_subparsers(dest="word", required=True)
    act = words.add_parser("act", help="ask for one act: remit act write docs/a.md --content-file -")
    act.add_argument("verb")
    act.add_argument("object", nargs="+", help="one object; for `run`, the words of the command")
    act.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE")
    act.add_argument("--args", metavar="JSON", default="{}")
    act.add_argument("--content-file", metavar="FILE")
    act.add_argument("--wait", type=float, default=0.0, metavar="SECONDS")
    act.add_argument("--text", action="store_true", dest="plainly", help="print what came of it alone, as plain text")
    skill = words.add_parser("skill", help="invoke a skill and print its instructions")
    skill.add_argument("name")
    skill.add_argument("--wait", type=float, default=0.0, metavar="SECONDS")
    skill.set_defaults(plainly=True)
    done = words.add_parser("done", help="say that the work is done")
    done.add_argument("message", nargs="?", default="")
    ask = words.add_parser("ask", help="ask the owner a question")
    ask.add_argument("text")
    ask.add_argument("--wait", type=float, default=0.0, metavar="SECONDS")
    return top


def request(given: argparse.Namespace) -> dict[str, object]:
    """The request line as an object."""
    if given.word == "done":
        return {"schema": "remit.act/1", "verb": "done", "object": given.message, "arguments": {}, "wait": 0}
    if given.word == "ask":
        return {"schema": "remit.act/1", "verb": "ask", "object": given.text, "arguments": {}, "wait": given.wait}
    if given.word == "skill":
        asked = {"skill": given.name}
        return {"schema": "remit.act/1", "verb": "call", "object": "Skill", "arguments": asked, "wait": given.wait}
    if len(given.object) > 1 and given.verb != "run":
        raise Unusable(f"`{given.verb}` takes one object, got {len(given.object)}; quote it")
    named = given.object if given.verb == "run" else given.object[0]
    message = {"schema": "remit.act/1", "verb": given.verb, "object": named, "arguments": arguments(given), "wait": given.wait}
    if given.content_file is not None:
        content = sys.stdin.buffer.read(LINE) if given.content_file == "-" else contents(given.content_file)
        message["content"] = base64.b64encode(content).decode()
    return message


def arguments(given: argparse.Namespace) -> dict[str, object]:
    """Named arguments: those of --args as JSON, then each --arg as text."""
    whole = strict(given.args)
    if not isinstance(whole, dict):
        raise Unusable("`--args` must be a JSON object")
    for each in given.arg:
        name, equals, value = each.partition("=")
        if not equals or not name or name in whole:
            raise Unusable(f"`--arg {each}`: write each name once, as name=value")
        whole[name] = value
    return whole


def contents(path: str) -> bytes:
    """A file, up to what fits into one request."""
    with open(path, "rb") as source:  # noqa: PTH123 - pathlib would cost more than the whole helper
        return source.read(LINE)


def converse(line: bytes) -> dict[str, object]:
    """One line out, one line back."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(os.environ.get("REMIT_DOOR", DOOR))
        door.sendall(line)
        with door.makefile("rb") as answers:
            answer = strict(answers.readline().decode())
    if not isinstance(answer, dict):
        raise ValueError("the answer is not an object")
    return answer


def strict(text: str) -> Any:
    """JSON that no two readers read differently: no key twice, no NaN. Raises ValueError."""
    return json.loads(text, object_pairs_hook=pairs, parse_float=Number, parse_constant=constant)


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once."""
    whole = dict(found)
    if len(whole) != len(found):
        raise ValueError("a key stands twice")
    return whole


def constant(name: str) -> Any:
    """What JSON does not know."""
    raise ValueError(f"`{name}` is not a number")


def written(value: Any) -> str:
    """The JSON text of a value, numbers as they were."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(each) for each in value) + "]"
    return json.dumps(value)


if __name__ == "__main__":
    sys.exit(main())
