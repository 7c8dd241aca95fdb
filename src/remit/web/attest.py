"""What the server signs for the person who is signed in: exactly what they saw, and nothing else."""

from remit.errors import Conflict
from remit.ports import Signer
from remit.run.statement import ANSWER, read_statement


class SessionSigner:
    """Signs with the server's key in the name of the person of the session (assurance `session`).

    `seen` is the digest of the action on the card they answered: a statement about any other is not signed, whatever became
    of the question between reading and writing.
    """

    def __init__(self, person: str, key: Signer, seen: str | None = None) -> None:
        self.person, self.public = person, key.public
        self._key, self._seen = key, seen

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached signature. Raises Conflict when it is not what was seen."""
        if namespace == ANSWER and self._seen is not None:
            said = read_statement(message.decode())
            if said.get("action", "").strip() != self._seen or said.get("person") != self.person:
                raise Conflict("the request changed while it was being answered")
        return await self._key.sign(message, namespace=namespace)
