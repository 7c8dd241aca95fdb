"""What a scripted model does, step by step: the language of scripts, as values and as JSON.

A script is a name and steps. Every step that wants something done becomes one tool call, put into the words of whichever tool
the caller declared; steps that only say something ride with the next one. In JSON each step is an object whose `do` names it:
`{"name": "greet", "steps": [{"do": "write", "path": "hello.txt", "text": "hello\n"}, {"do": "final", "text": "done"}]}`.
"""

from typing import Any, TypeAlias

import msgspec

from remit.value import Value


class Usage(Value, frozen=True, kw_only=True):
    """What one call is said to have used, in tokens; each dialect reports it in its own words.

    `input` is everything that was read, `cached` and `written` (to the cache) included; `output` includes `reasoning`.
    """

    input: int = 1000
    output: int = 200
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    counted: bool = False  # input is a quarter of the bytes of the request instead
    missing: bool = False  # the answer says nothing about usage


class Write(Value, frozen=True, kw_only=True, tag_field="do", tag="write"):
    """Write a file."""

    path: str
    text: str


class Edit(Value, frozen=True, kw_only=True, tag_field="do", tag="edit"):
    """Replace one passage of a file; whole lines suit every caller."""

    path: str
    old: str
    new: str


class Read(Value, frozen=True, kw_only=True, tag_field="do", tag="read"):
    """Read a file."""

    path: str


class Shell(Value, frozen=True, kw_only=True, tag_field="do", tag="shell"):
    """Run a shell command; `seconds` is how long the caller should let it run, where its tool can be told."""

    command: str
    seconds: int | None = None


class Fetch(Value, frozen=True, kw_only=True, tag_field="do", tag="fetch"):
    """Fetch a page."""

    url: str


class Ask(Value, frozen=True, kw_only=True, tag_field="do", tag="ask"):
    """Ask a person."""

    question: str


class Skill(Value, frozen=True, kw_only=True, tag_field="do", tag="skill"):
    """Invoke a skill."""

    skill: str


class Tool(Value, frozen=True, kw_only=True, tag_field="do", tag="tool"):
    """Call a tool by its name, with exactly these arguments, declared or not."""

    name: str
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)


class Subagents(Value, frozen=True, kw_only=True, tag_field="do", tag="subagents"):
    """Start many sub-agents at once, each on a script of its own."""

    count: int
    script: str = "hello"


class Together(Value, frozen=True, kw_only=True, tag_field="do", tag="together"):
    """Several tool calls in one answer."""

    steps: tuple["Deed", ...]


class Loop(Value, frozen=True, kw_only=True, tag_field="do", tag="loop"):
    """The same step again and again; `times` 0 is for ever."""

    step: "Deed"
    times: int = 0


class Text(Value, frozen=True, kw_only=True, tag_field="do", tag="text"):
    """Say something beside the next step."""

    text: str


class Burst(Value, frozen=True, kw_only=True, tag_field="do", tag="burst"):
    """Say very much: as many words as tokens, in many small pieces. Cut short where the caller limits its output."""

    tokens: int


class Final(Value, frozen=True, kw_only=True, tag_field="do", tag="final"):
    """The last word of a turn; the steps after it wait for the next message of a person."""

    text: str = "done"


class Slow(Value, frozen=True, kw_only=True, tag_field="do", tag="slow"):
    """Take so many seconds before each piece of this answer."""

    seconds: float


class Hang(Value, frozen=True, kw_only=True, tag_field="do", tag="hang"):
    """Never send the first byte of an answer, and wait until the caller leaves."""


class Cut(Value, frozen=True, kw_only=True, tag_field="do", tag="cut"):
    """Break the connection after so many pieces of this answer."""

    after: int = 3


class Status(Value, frozen=True, kw_only=True, tag_field="do", tag="status"):
    """Answer with an error, in the dialect's own words where no body is given; after so many `times` it is right, 0 is never."""

    code: int
    body: str | None = None
    message: str = "scripted failure"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    times: int = 0


class Zipped(Value, frozen=True, kw_only=True, tag_field="do", tag="zipped"):
    """Answer with a compressed body, whether or not the caller wants one."""


Deed: TypeAlias = Write | Edit | Read | Shell | Fetch | Ask | Skill | Tool | Subagents | Together | Loop
Saying: TypeAlias = Text | Burst
Manner: TypeAlias = Slow | Hang | Cut | Status | Zipped
Step: TypeAlias = Deed | Saying | Manner | Final


class Script(Value, frozen=True, kw_only=True):
    """A named course of work; without a `Final` it ends by saying that it is done."""

    name: str
    steps: tuple[Step, ...]
    usage: Usage | None = None


class Stretch(Value, frozen=True, kw_only=True):
    """One answer of a script: how it is given, what is said, and what is called or that the turn ends."""

    manner: tuple[Manner, ...] = ()
    said: tuple[Saying, ...] = ()
    deed: Deed | None = None
    final: str | None = None
    forever: bool = False


def stretches(script: Script) -> tuple[Stretch, ...]:
    """The answers of a script in order; the last one is given again and again."""
    made: list[Stretch] = []
    manner: list[Manner] = []
    said: list[Saying] = []

    def close(deed: Deed | None = None, final: str | None = None, forever: bool = False) -> None:
        made.append(Stretch(manner=tuple(manner), said=tuple(said), deed=deed, final=final, forever=forever))
        manner.clear()
        said.clear()

    for step in script.steps:
        match step:
            case Text() | Burst():
                said.append(step)
            case Slow() | Hang() | Cut() | Status() | Zipped():
                manner.append(step)
            case Final(text=text):
                close(final=text)
            case Loop(step=inner, times=0):
                close(deed=inner, forever=True)
                return tuple(made)
            case Loop(step=inner, times=times):
                for _ in range(times):
                    close(deed=inner)
            case _:
                close(deed=step)
    if not made or made[-1].final is None or manner or said:
        close(final="" if said else f"{script.name}: done")
    return tuple(made)


_SCRIPTS = msgspec.json.Decoder(tuple[Script, ...])
_SCRIPT = msgspec.json.Decoder(Script)


def scripts_of(text: bytes) -> tuple[Script, ...]:
    """The scripts of a JSON text, one or a list of them; `msgspec.DecodeError` says what is wrong with it."""
    return _SCRIPTS.decode(text) if text.lstrip()[:1] == b"[" else (_SCRIPT.decode(text),)
