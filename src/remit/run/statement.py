"""The texts that people sign: what was asked or reached, what was said, by whom, when, in which words, how surely theirs."""

from remit.value import digest

ANSWER = "remit-answer"
ACCEPTANCE = "remit-acceptance"
OWNERSHIP = "remit-ownership"
"""namespaces of signatures: one never passes for the other"""


def answer_statement(
    run: str, question: str, answer: str, person: str, action: str, contract: str, at: str, *, assurance: str,
    note: str = "", becomes: str = "", conditions: str = "", receipt: str = "",
) -> str:  # fmt: skip
    """The text an answer signs: what was asked, of which contract, what was said, by whom, when, and how sure that is.

    `action` is the digest of what was asked. Whatever else is said stands there by its digest: the note, what a change makes of
    the action, the conditions it adds, what is known of a doubt.
    """
    more = (("becomes", becomes), ("conditions", conditions), ("receipt", receipt), ("note", by_digest(note)))
    return (
        f"remit.answer/1\nrun: {run}\nquestion: {question}\nanswer: {answer}\nperson: {person}\nassurance: {assurance}\n"
        f"action: {action}\ncontract: {contract}\nat: {at}\n{_given(*more)}"
    )


def ownership_statement(
    run: str, word: str, person: str, to: str, contract: str, at: str, *, assurance: str, note: str = ""
) -> str:
    """The text an offer, an acceptance or a refusal of ownership signs; `word` is `offered`, `accepted` or `declined`."""
    return (
        f"remit.ownership/1\nrun: {run}\nownership: {word}\nperson: {person}\nassurance: {assurance}\nto: {to}\n"
        f"contract: {contract}\nat: {at}\n{_given(('note', by_digest(note)))}"
    )


def acceptance_statement(
    run: str, acceptance: str, person: str, contract: str, sealed: str, at: str, *, assurance: str, note: str = ""
) -> str:
    """The text an acceptance signs: which outcome, under which contract, taken or declined, by whom, when."""
    return (
        f"remit.acceptance/1\nrun: {run}\nacceptance: {acceptance}\nperson: {person}\nassurance: {assurance}\n"
        f"contract: {contract}\noutcome: {sealed}\nat: {at}\n{_given(('note', by_digest(note)))}"
    )


def by_digest(said: object) -> str:
    """How a statement names what is too long for a line: by its digest; nothing where nothing was said."""
    return digest(said) if said else ""


def _given(*fields: tuple[str, str]) -> str:
    return "".join(f"{name}: {text}\n" for name, text in fields if text)


def read_statement(text: str) -> dict[str, str]:
    """The lines of a statement by name; `form` is its first line. A line without a name makes it no statement: empty."""
    first, *rest = text.splitlines() or [""]
    fields = {"form": first}
    for line in rest:
        name, colon, value = line.partition(": ")
        if not colon or name in fields:
            return {}
        fields[name] = value
    return fields
