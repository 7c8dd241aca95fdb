"""Signatures of people: every kind of key that may sign, judged as ssh-keygen judges it and never more kindly."""

import base64
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.evidence.signature import armour, namespace_of, public_text, signed_part, verify_signature
from remit.evidence.ssh_keys import made, public_blob

SPACE = "remit-answer"
PERSON = "release-lead@example.com"
MESSAGE = b'{"answer":"yes"}'
VERSION_AT = 9
KINDS = ["ed25519", "ecdsa-256", "ecdsa-384", "ecdsa-521", "rsa-2048", "rsa-3072"]


@dataclass(frozen=True)
class Made:
    """A key, its public text, and one signature over MESSAGE."""

    key: Path
    public: str
    text: str


@pytest.fixture(scope="module")
def made_by(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    folder, known = tmp_path_factory.mktemp("keys"), {}

    def make(kind: str) -> Made:
        if kind not in known:
            name, _, bits = kind.partition("-")
            key = folder / kind
            size = ["-b", bits] if bits else []
            subprocess.run(["ssh-keygen", "-q", "-t", name, *size, "-N", "", "-C", PERSON, "-f", key], check=True)
            known[kind] = Made(key, key.with_suffix(".pub").read_text(), signed(key))
        return known[kind]

    return make


def signed(key: Path, message: bytes = MESSAGE, *options: str) -> str:
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", *options, "-f", key, "-n", SPACE], input=message, capture_output=True, check=True
    )
    return done.stdout.decode()


def theirs(folder: Path, public: str, text: str, message: bytes = MESSAGE, namespace: str = SPACE) -> bool:
    """What ssh-keygen says."""
    allowed, signature = folder / "allowed", folder / "m.sig"
    allowed.write_text(f"{PERSON} {public.strip()}\n")
    signature.write_text(text)
    check = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", PERSON, "-n", namespace, "-s", signature]
    return subprocess.run(check, input=message, capture_output=True).returncode == 0


def blob_of(text: str) -> bytes:
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def text_of(blob: bytes) -> str:
    coded = base64.b64encode(blob).decode()
    lines = [coded[at : at + 70] for at in range(0, len(coded), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"]) + "\n"


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def number(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1))


def sealed(key: bytes, signature: bytes, *, digest: bytes = b"sha512", reserved: bytes = b"", after: bytes = b"") -> str:
    head = b"SSHSIG" + struct.pack(">I", 1)
    return text_of(head + string(key) + string(SPACE.encode()) + string(reserved) + string(digest) + string(signature) + after)


def open_ssh(kind: str, key: bytes) -> str:
    return f"{kind} {base64.b64encode(key).decode()}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_signs_holds_for_its_message_key_and_namespace_only(
    tmp_path: Path, made_by: Callable[[str], Made], kind: str
) -> None:
    mine = made_by(kind)
    assert verify_signature(mine.public, MESSAGE, mine.text, SPACE)
    assert theirs(tmp_path, mine.public, mine.text)
    assert namespace_of(mine.text) == SPACE
    assert not verify_signature(mine.public, MESSAGE + b" ", mine.text, SPACE)
    assert not verify_signature(mine.public, MESSAGE, mine.text, "remit-acceptance")
    for other in KINDS:
        assert verify_signature(made_by(other).public, MESSAGE, mine.text, SPACE) == (other == kind)


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", ["ed25519", "rsa-2048"])
def test_both_digests_of_the_format_are_taken(made_by: Callable[[str], Made], kind: str, digest: str) -> None:
    mine = made_by(kind)
    text = signed(mine.key, MESSAGE, "-O", f"hashalg={digest}")
    assert verify_signature(mine.public, MESSAGE, text, SPACE)
    assert not verify_signature(mine.public, b"no", text, SPACE)


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_byte_passes(made_by: Callable[[str], Made], kind: str) -> None:
    mine = made_by(kind)
    blob = blob_of(mine.text)
    for at in range(len(blob)):
        for by in (0x01, 0x80):
            changed = text_of(blob[:at] + bytes([blob[at] ^ by]) + blob[at + 1 :])
            assert not verify_signature(mine.public, MESSAGE, changed, SPACE), (at, by)


@pytest.mark.parametrize("kind", KINDS)
def test_ssh_keygen_agrees_on_every_damage(tmp_path: Path, made_by: Callable[[str], Made], kind: str) -> None:
    mine = made_by(kind)
    blob = blob_of(mine.text)

    # Two processes an example: not more of them in the thorough profile either.
    @settings(max_examples=60)
    @given(at=st.integers(0, len(blob) - 1), by=st.integers(1, 255))
    def check(at: int, by: int) -> None:
        changed = text_of(blob[:at] + bytes([blob[at] ^ by]) + blob[at + 1 :])
        assert not verify_signature(mine.public, MESSAGE, changed, SPACE)
        assert theirs(tmp_path, mine.public, changed) == (at == VERSION_AT and by == 1)

    check()


def test_a_version_that_was_never_defined_is_refused_though_ssh_keygen_takes_it(
    tmp_path: Path, made_by: Callable[[str], Made]
) -> None:
    mine = made_by("ed25519")
    blob = bytearray(blob_of(mine.text))
    blob[VERSION_AT] = 0
    assert theirs(tmp_path, mine.public, text_of(bytes(blob)))
    assert not verify_signature(mine.public, MESSAGE, text_of(bytes(blob)), SPACE)


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=200))
def test_what_cannot_be_read_is_no_signature(made_by: Callable[[str], Made], kind: str, text: str) -> None:
    mine = made_by(kind)
    assert not verify_signature(mine.public, MESSAGE, text, SPACE)
    assert not verify_signature(text, MESSAGE, mine.text, SPACE)
    assert not verify_signature(mine.public.split()[0] + " " + text, MESSAGE, mine.text, SPACE)


@given(cut=st.integers(0, 2000), more=st.binary(min_size=1, max_size=9))
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_short_or_goes_on_is_no_signature(made_by: Callable[[str], Made], kind: str, cut: int, more: bytes) -> None:
    mine = made_by(kind)
    blob = blob_of(mine.text)
    assert not verify_signature(mine.public, MESSAGE, text_of(blob[: cut % len(blob)]), SPACE)
    assert not verify_signature(mine.public, MESSAGE, text_of(blob + more), SPACE)
    key = public_blob(mine.public)
    assert key is not None
    assert public_blob(open_ssh(mine.public.split()[0], key + more)) is None
    assert public_blob(open_ssh(mine.public.split()[0], key[: cut % len(key)])) is None


@given(
    kind=st.sampled_from(["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", "sk-ssh-ed25519@openssh.com"]),
    parts=st.lists(st.binary(max_size=300), max_size=4),
)
def test_a_key_of_any_bytes_is_read_or_refused_never_more(kind: str, parts: list[bytes]) -> None:
    key = string(kind.encode()) + b"".join(map(string, parts))
    public_blob(open_ssh(kind, key))
    assert not made(key, string(kind.encode()) + string(bytes(64)), b"data")


def test_the_text_of_a_signature_has_one_form_only(made_by: Callable[[str], Made]) -> None:
    mine = made_by("ed25519")
    lines = mine.text.splitlines()
    joined = [lines[0], "".join(lines[1:-1]), lines[-1]]
    assert verify_signature(mine.public, MESSAGE, mine.text, SPACE)
    assert not verify_signature(mine.public, MESSAGE, "\n".join(joined) + "\n", SPACE)
    assert not verify_signature(mine.public, MESSAGE, mine.text.replace("\n", "\r\n"), SPACE)


def test_a_key_named_as_another_kind_is_refused(made_by: Callable[[str], Made]) -> None:
    mine = made_by("ecdsa-256")
    assert public_blob(mine.public) is not None
    assert public_blob(mine.public.replace("ecdsa-sha2-nistp256 ", "ssh-ed25519 ")) is None
    assert public_blob(mine.public.replace("ecdsa-sha2-nistp256 ", "ssh-dss ")) is None
    assert public_blob("ecdsa-sha2-nistp256") is None


def test_our_own_signatures_are_taken_as_before() -> None:
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes_raw()
    text = armour(raw, key.sign(signed_part(MESSAGE, SPACE)), SPACE)
    assert verify_signature(public_text(raw, PERSON), MESSAGE, text, SPACE)


def test_fields_that_nobody_defined_are_refused() -> None:
    key = Ed25519PrivateKey.generate()
    raw = string(b"ssh-ed25519") + string(key.public_key().public_bytes_raw())
    public = open_ssh("ssh-ed25519", raw)
    good = string(b"ssh-ed25519") + string(key.sign(signed_part(MESSAGE, SPACE)))
    assert verify_signature(public, MESSAGE, sealed(raw, good), SPACE)
    assert not verify_signature(public, MESSAGE, sealed(raw, good, reserved=b"x"), SPACE)
    assert not verify_signature(public, MESSAGE, sealed(raw, good, digest=b"sha1"), SPACE)
    assert not verify_signature(public, MESSAGE, sealed(raw, good, after=b"x"), SPACE)
    assert not verify_signature(public, MESSAGE, sealed(raw, good + b"x"), SPACE)


class TestRsa:
    """Keys and signatures that are too weak, or written in two ways."""

    def made(self, bits: int, algorithm: bytes, digest: hashes.HashAlgorithm) -> tuple[str, bytes, bytes]:
        key = rsa.generate_private_key(65537, bits)
        numbers = key.public_key().public_numbers()
        raw = string(b"ssh-rsa") + number(numbers.e) + number(numbers.n)
        return (
            open_ssh("ssh-rsa", raw),
            raw,
            string(algorithm) + string(key.sign(signed_part(MESSAGE, SPACE), PKCS1v15(), digest)),
        )

    def test_sha_2_is_taken_and_sha_1_never(self, tmp_path: Path) -> None:
        for algorithm, digest in ((b"rsa-sha2-256", hashes.SHA256()), (b"rsa-sha2-512", hashes.SHA512())):
            public, raw, signature = self.made(2048, algorithm, digest)
            assert verify_signature(public, MESSAGE, sealed(raw, signature), SPACE)
            assert theirs(tmp_path, public, sealed(raw, signature))
        public, raw, signature = self.made(2048, b"ssh-rsa", hashes.SHA1())
        assert not verify_signature(public, MESSAGE, sealed(raw, signature), SPACE)
        assert not theirs(tmp_path, public, sealed(raw, signature))

    def test_an_algorithm_named_for_another_digest_is_refused(self) -> None:
        public, raw, signature = self.made(2048, b"rsa-sha2-256", hashes.SHA512())
        assert not verify_signature(public, MESSAGE, sealed(raw, signature), SPACE)

    def test_a_key_below_2048_bits_may_not_sign(self) -> None:
        public, raw, signature = self.made(1024, b"rsa-sha2-512", hashes.SHA512())
        assert public_blob(public) is None
        assert not made(raw, signature, signed_part(MESSAGE, SPACE))

    def test_a_number_in_a_longer_form_is_another_key_and_refused(self) -> None:
        _, raw, _ = self.made(2048, b"rsa-sha2-512", hashes.SHA512())
        head, tail = raw[: 4 + 7], raw[4 + 7 :]
        (length,) = struct.unpack(">I", tail[:4])
        longer = head + string(b"\0" + tail[4 : 4 + length]) + tail[4 + length :]
        assert public_blob(open_ssh("ssh-rsa", raw)) is not None
        assert public_blob(open_ssh("ssh-rsa", longer)) is None


class TestSecurityKeys:
    """Keys on a device, played by keys in memory after PROTOCOL.u2f."""

    @staticmethod
    def device(kind: str, application: bytes = b"ssh:") -> tuple[bytes, Callable[[bytes], bytes]]:
        """The public key, and what signs."""
        if "ed25519" in kind:
            quick = Ed25519PrivateKey.generate()
            raw = string(kind.encode()) + string(quick.public_key().public_bytes_raw()) + string(application)
            return raw, quick.sign
        curve = ec.generate_private_key(ec.SECP256R1())
        point = curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        raw = string(kind.encode()) + string(b"nistp256") + string(point) + string(application)

        def sign(data: bytes) -> bytes:
            first, second = decode_dss_signature(curve.sign(data, ec.ECDSA(hashes.SHA256())))
            return number(first) + number(second)

        return raw, sign

    @staticmethod
    def touched(kind: str, sign: Callable[[bytes], bytes], *, flags: int = 1, application: bytes = b"ssh:") -> bytes:
        said = struct.pack(">BI", flags, 7)
        data = sha256(application).digest() + said + sha256(signed_part(MESSAGE, SPACE)).digest()
        return string(kind.encode()) + string(sign(data)) + said

    pytestmark = pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])

    @pytest.mark.parametrize("flags", [0x01, 0x05])
    def test_a_touch_signs(self, tmp_path: Path, kind: str, flags: int) -> None:
        raw, sign = self.device(kind)
        text = sealed(raw, self.touched(kind, sign, flags=flags))
        assert verify_signature(open_ssh(kind, raw), MESSAGE, text, SPACE)
        assert not verify_signature(open_ssh(kind, raw), b"no", text, SPACE)
        assert theirs(tmp_path, open_ssh(kind, raw), text)
        assert not theirs(tmp_path, open_ssh(kind, raw), text, b"no")

    @pytest.mark.parametrize("flags", [0x00, 0x04])
    def test_a_key_that_nobody_touched_does_not_sign(self, kind: str, flags: int) -> None:
        raw, sign = self.device(kind)
        assert not verify_signature(open_ssh(kind, raw), MESSAGE, sealed(raw, self.touched(kind, sign, flags=flags)), SPACE)

    def test_flags_and_counter_are_part_of_what_is_signed(self, kind: str) -> None:
        raw, sign = self.device(kind)
        good = self.touched(kind, sign)
        for at in range(1, 6):
            changed = good[:-at] + bytes([good[-at] ^ 2]) + good[len(good) - at + 1 :]
            assert not verify_signature(open_ssh(kind, raw), MESSAGE, sealed(raw, changed), SPACE), at
        for damaged in (good[:-1], good + b"\0", good[:-5]):
            assert not verify_signature(open_ssh(kind, raw), MESSAGE, sealed(raw, damaged), SPACE)

    def test_a_signature_made_for_another_application_is_refused(self, kind: str) -> None:
        raw, sign = self.device(kind)
        text = sealed(raw, self.touched(kind, sign, application=b"ssh:other"))
        assert not verify_signature(open_ssh(kind, raw), MESSAGE, text, SPACE)

    def test_a_key_of_a_web_page_may_not_sign(self, kind: str) -> None:
        raw, sign = self.device(kind, b"example.com")
        text = sealed(raw, self.touched(kind, sign, application=b"example.com"))
        assert public_blob(open_ssh(kind, raw)) is None
        assert not verify_signature(open_ssh(kind, raw), MESSAGE, text, SPACE)

    def test_a_plain_signature_is_not_one_of_a_device(self, kind: str) -> None:
        raw, sign = self.device(kind)
        plain = string(kind.encode()) + string(sign(signed_part(MESSAGE, SPACE)))
        assert not verify_signature(open_ssh(kind, raw), MESSAGE, sealed(raw, plain), SPACE)
        assert not verify_signature(open_ssh(kind, raw), MESSAGE, sealed(raw, plain + struct.pack(">BI", 1, 7)), SPACE)


def test_a_point_off_its_curve_signs_nothing() -> None:
    point = b"\x04" + bytes(63) + b"\x01"
    raw = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(point)
    signature = string(b"ecdsa-sha2-nistp256") + string(number(1) + number(1))
    assert not verify_signature(open_ssh("ecdsa-sha2-nistp256", raw), MESSAGE, sealed(raw, signature), SPACE)


class TestOneEncodingOnly:
    """The same key or signature written in another way is none: each of these would hold if it were read kindly."""

    def ed25519(self) -> tuple[Ed25519PrivateKey, bytes]:
        key = Ed25519PrivateKey.generate()
        return key, key.public_key().public_bytes_raw()

    def ecdsa(
        self, form: PublicFormat = PublicFormat.UncompressedPoint, *, curve: bytes = b"nistp256"
    ) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        point = key.public_key().public_bytes(Encoding.X962, form)
        return key, string(b"ecdsa-sha2-nistp256") + string(curve) + string(point)

    def numbers(self, key: ec.EllipticCurvePrivateKey) -> tuple[int, int]:
        return decode_dss_signature(key.sign(signed_part(MESSAGE, SPACE), ec.ECDSA(hashes.SHA256())))

    def holds(self, kind: str, raw: bytes, signature: bytes) -> bool:
        ours = verify_signature(open_ssh(kind, raw), MESSAGE, sealed(raw, signature), SPACE)
        assert made(raw, signature, signed_part(MESSAGE, SPACE)) == ours
        return ours

    def test_a_signature_names_the_algorithm_of_its_key(self) -> None:
        key, raw = self.ed25519()
        raw = string(b"ssh-ed25519") + string(raw)
        for algorithm in (b"ssh-ed25519", b"ssh-ed25519@example.com", b"", b"\xff"):
            signature = string(algorithm) + string(key.sign(signed_part(MESSAGE, SPACE)))
            assert self.holds("ssh-ed25519", raw, signature) == (algorithm == b"ssh-ed25519")
        curve, raw = self.ecdsa()
        first, second = self.numbers(curve)
        for algorithm in (b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384", b"ssh-ed25519"):
            signature = string(algorithm) + string(number(first) + number(second))
            assert self.holds("ecdsa-sha2-nistp256", raw, signature) == (algorithm == b"ecdsa-sha2-nistp256")

    def test_a_point_is_written_whole(self) -> None:
        key, raw = self.ecdsa(PublicFormat.CompressedPoint)
        first, second = self.numbers(key)
        assert not self.holds("ecdsa-sha2-nistp256", raw, string(b"ecdsa-sha2-nistp256") + string(number(first) + number(second)))
        assert public_blob(open_ssh("ecdsa-sha2-nistp256", raw)) is None

    def test_a_curve_is_the_one_its_kind_names(self) -> None:
        key, raw = self.ecdsa(curve=b"nistp384")
        first, second = self.numbers(key)
        assert not self.holds("ecdsa-sha2-nistp256", raw, string(b"ecdsa-sha2-nistp256") + string(number(first) + number(second)))
        device, sign = TestSecurityKeys.device("sk-ecdsa-sha2-nistp256@openssh.com")
        other = device.replace(string(b"nistp256"), string(b"nistp384"))
        signature = TestSecurityKeys.touched("sk-ecdsa-sha2-nistp256@openssh.com", sign)
        assert made(device, signature, signed_part(MESSAGE, SPACE))
        assert not made(other, signature, signed_part(MESSAGE, SPACE))

    def test_a_number_has_no_needless_zero_and_no_sign(self) -> None:
        key, raw = self.ecdsa()
        seen = set()
        while len(seen) < 2:
            first, second = self.numbers(key)
            short = first.to_bytes((first.bit_length() + 7) // 8)
            proper = number(first)[4:]
            high = short[0] >= 0x80
            seen.add(high)
            for written in (proper, b"\0" + proper, short if high else b"\0" + short, b""):
                signature = string(b"ecdsa-sha2-nistp256") + string(string(written) + number(second))
                assert self.holds("ecdsa-sha2-nistp256", raw, signature) == (written == proper)

    def test_an_rsa_signature_is_as_long_as_its_key(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        numbers = key.public_key().public_numbers()
        raw = string(b"ssh-rsa") + number(numbers.e) + number(numbers.n)
        signature = key.sign(signed_part(MESSAGE, SPACE), PKCS1v15(), hashes.SHA512())
        assert self.holds("ssh-rsa", raw, string(b"rsa-sha2-512") + string(signature))
        assert not self.holds("ssh-rsa", raw, string(b"rsa-sha2-512") + string(b"\0" + signature))
        assert not self.holds("ssh-rsa", raw, string(b"rsa-sha2-512") + string(signature[:-1]))

    def test_an_rsa_exponent_has_64_bits_at_most(self) -> None:
        modulus = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
        for exponent, may in ((65537, True), (2**64 - 1, True), (2**64 + 1, False)):
            raw = string(b"ssh-rsa") + number(exponent) + number(modulus)
            assert (public_blob(open_ssh("ssh-rsa", raw)) is not None) == may

    def test_a_public_key_has_one_text_only(self) -> None:
        _, raw = self.ed25519()
        blob = string(b"ssh-ed25519") + string(raw)
        coded = base64.b64encode(blob).decode()
        assert public_blob(f"ssh-ed25519 {coded}") == blob
        assert public_blob(f"ssh-ed25519\t{coded}  {PERSON} at home") == blob
        assert public_blob(open_ssh("ssh-ed25519", string(b"ssh-ed25519x") + string(raw))) is None
        assert public_blob(open_ssh("ssh-ed25519", string(b"ssh-ed25519") + string(raw[:31]))) is None
        assert public_blob(f"ssh-ed25519 {coded[:10]}\n{coded[10:]}") is None
        # Two bits of the last letter of a key of this length count for nothing, so a kind reader takes either.
        _, key = self.ecdsa()
        text = base64.b64encode(key).decode()
        at = len(text.rstrip("=")) - 1
        other = text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :]
        assert base64.b64decode(other) == key
        assert public_blob(f"ecdsa-sha2-nistp256 {text}") == key
        assert public_blob(f"ecdsa-sha2-nistp256 {other}") is None
