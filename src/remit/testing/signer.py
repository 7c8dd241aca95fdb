"""A signer whose key is made from its person's name: real signatures that anybody can make, so they prove nothing."""

from hashlib import sha256

from remit.evidence.signature import armour, public_text, signed_part


class PaperSigner:
    """See `remit.ports.Signer`. The signatures verify; the key is no secret."""

    def __init__(self, person: str) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(sha256(person.encode()).digest())
        self._raw = self._key.public_key().public_bytes_raw()
        self.person = person
        self.public = public_text(self._raw, person)

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached signature as text."""
        return armour(self._raw, self._key.sign(signed_part(message, namespace)), namespace)
