"""The local identity and the ledger's key."""

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from remit.adapters.signers.ledger_key import ledger_key
from remit.adapters.signers.local import create, load, verify_signature
from remit.errors import BadInput, Broken
from remit.evidence.tree_head import open_head

NAMESPACE = "remit-answer"
PERSON = "release-lead@example.com"


def sign(home: Path, message: bytes = b"yes") -> str:
    signer = load(home)
    assert signer is not None

    async def signed() -> str:
        return await signer.sign(message, namespace=NAMESPACE)

    return anyio.run(signed)


def test_an_identity_is_made_once_and_kept_private(tmp_path: Path) -> None:
    assert load(tmp_path / "home") is None
    made = create(tmp_path / "home", PERSON)
    again = load(tmp_path / "home")
    assert again is not None
    assert (again.person, again.public) == (PERSON, made.public)
    assert (tmp_path / "home" / "identity" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home" / "identity").stat().st_mode & 0o777 == 0o700
    with pytest.raises(BadInput, match="already"):
        create(tmp_path / "home", PERSON)


@pytest.mark.parametrize("person", ["", " a", "a b", "a\nb", "a\x00"])
def test_a_person_needs_a_usable_name(tmp_path: Path, person: str) -> None:
    with pytest.raises(BadInput):
        create(tmp_path, person)


def test_a_signature_holds_for_its_message_key_and_namespace_only(tmp_path: Path) -> None:
    mine, other = create(tmp_path / "a", PERSON), create(tmp_path / "b", PERSON)
    text = sign(tmp_path / "a")
    assert verify_signature(mine.public, b"yes", text, NAMESPACE)
    assert not verify_signature(mine.public, b"no", text, NAMESPACE)
    assert not verify_signature(mine.public, b"yes", text, "remit-acceptance")
    assert not verify_signature(other.public, b"yes", text, NAMESPACE)


def test_no_changed_character_of_a_signature_passes(tmp_path: Path) -> None:
    mine = create(tmp_path, PERSON)
    text = sign(tmp_path)
    for at in range(len(text) - 1):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert not verify_signature(mine.public, b"yes", changed, NAMESPACE), at
    assert not verify_signature(mine.public, b"yes", "", NAMESPACE)
    assert not verify_signature("ssh-ed25519 AAAA", b"yes", text, NAMESPACE)


def test_ssh_keygen_takes_our_signatures_and_we_take_its(tmp_path: Path) -> None:
    mine = create(tmp_path, PERSON)
    allowed, signature = tmp_path / "allowed", tmp_path / "m.sig"
    allowed.write_text(f"{PERSON} {mine.public}\n")
    signature.write_text(sign(tmp_path))
    check = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", PERSON, "-n", NAMESPACE, "-s", signature]
    assert subprocess.run(check, input=b"yes", capture_output=True).returncode == 0
    assert subprocess.run(check, input=b"no", capture_output=True).returncode != 0
    key = tmp_path / "identity" / "key"
    theirs = subprocess.run(["ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE], input=b"yes", capture_output=True)
    assert verify_signature(mine.public, b"yes", theirs.stdout.decode(), NAMESPACE)


def test_a_key_open_to_others_or_damaged_is_refused(tmp_path: Path) -> None:
    create(tmp_path, PERSON)
    key = tmp_path / "identity" / "key"
    key.chmod(0o644)
    with pytest.raises(Broken, match="open to others"):
        load(tmp_path)
    key.chmod(0o600)
    key.write_text("not a key")
    with pytest.raises(Broken, match="cannot be read"):
        load(tmp_path)


def test_a_key_damaged_in_its_private_half_is_found_when_it_is_needed(tmp_path: Path) -> None:
    create(tmp_path, PERSON)
    key = tmp_path / "identity" / "key"
    lines = key.read_text().splitlines()
    lines[-2] = "A" * len(lines[-2])
    key.write_text("\n".join(lines) + "\n")
    signer = load(tmp_path)
    assert signer is not None
    assert signer.person == PERSON
    with pytest.raises(Broken, match="cannot be read"):
        sign(tmp_path)


def test_who_sits_here_is_known_without_unlocking_the_key(tmp_path: Path) -> None:
    made = create(tmp_path, PERSON)
    program = (
        "import sys; from pathlib import Path; from remit.adapters.signers.local import load;"
        "print(load(Path(sys.argv[1])).public); assert not any(name.startswith('cryptography') for name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == made.public


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_key_of_another_kind_is_refused(tmp_path: Path, kind: str) -> None:
    create(tmp_path, PERSON)
    key = tmp_path / "identity" / "key"
    key.unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key], check=True, input=b"y\n")
    with pytest.raises(Broken, match="not an Ed25519 key"):
        load(tmp_path)


def test_the_ledger_key_is_made_once_and_signs_heads(tmp_path: Path) -> None:
    first, second = ledger_key(tmp_path), ledger_key(tmp_path)
    assert first.public == second.public
    assert (tmp_path / "keys" / "ledger").stat().st_mode & 0o777 == 0o600
    assert open_head(first.head(3, bytes(32)), (second.public,)).size == 3
    (tmp_path / "keys" / "ledger").write_bytes(b"short")
    with pytest.raises(Broken, match="damaged"):
        ledger_key(tmp_path)
