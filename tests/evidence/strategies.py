"""Events and small signed records to play with."""

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from remit.evidence.codec import encode_event
from remit.evidence.entry import Row, body_hash, write
from remit.evidence.merkle import Frontier, leaf_hash
from remit.evidence.tree_head import VerifierKey, key_of, sealed, text_of
from remit.run.event import Event
from remit.testing.clock import JumpingClock

KINDS = Event.__args__
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC: VerifierKey = key_of(KEY.public_key().public_bytes_raw())


def head(size: int, root: bytes, *, key: Ed25519PrivateKey = KEY) -> bytes:
    public = key_of(key.public_key().public_bytes_raw())
    text = text_of(public.name, size, root)
    return sealed(text, public, key.sign(text))


def record(events: list[Event], *, key: Ed25519PrivateKey = KEY) -> tuple[list[Row], list[bytes]]:
    """Rows and a head after each of them."""
    clock, tree, rows, heads = JumpingClock(tick=1.0), Frontier(), [], []
    for seq, event in enumerate(events):
        body, salt = encode_event(event), seq.to_bytes(16, "big")
        kind = type(event).__struct_config__.tag
        entry = write(seq=seq, at=clock.now(), run=event.run, kind=kind, body=body_hash(salt, body))
        tree.append(leaf_hash(entry))
        rows.append(Row(entry=entry, salt=salt, body=body))
        heads.append(head(tree.size, tree.root(), key=key))
    return rows, heads


_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | _TEXT
    | st.decimals(-(10**12), 10**12, places=2).filter(lambda number: str(number) != "-0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def built(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Any event of this kind."""
    return st.deferred(lambda: _struct(kind)).map(lambda event: msgspec.structs.replace(event, run="r1"))


def _struct(kind: type) -> st.SearchStrategy[object]:
    fields = {field.name: _value(field.type, field.name) for field in msgspec.structs.fields(kind)}
    return st.builds(kind, **fields)


def _value(kind: object, name: str) -> st.SearchStrategy[object]:
    info = msgspec.inspect.type_info(kind)
    return _of(info, name)


def _of(info: msgspec.inspect.Type, name: str) -> st.SearchStrategy[object]:
    inspect = msgspec.inspect
    match info:
        case inspect.StrType():
            return _TEXT
        case inspect.IntType():
            return st.integers(-(2**53), 2**53)
        case inspect.FloatType():
            return st.floats(0, 10**6)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.AnyType():
            return _JSON
        case inspect.DateTimeType():
            return st.datetimes(timezones=st.just(__import__("datetime").UTC))
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.EnumType(cls=cls):
            return st.sampled_from(list(cls))
        case inspect.VarTupleType(item_type=item):
            return st.lists(st.deferred(lambda: _of(item, name)), max_size=2).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*(_of(item, name) for item in items))
        case inspect.CollectionType(item_type=item):
            return st.lists(_of(item, name), max_size=2)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_of(key, name), _of(value, name), max_size=3)
        case inspect.UnionType(types=types):
            return st.one_of(*(_of(each, name) for each in types))
        case inspect.StructType(cls=cls):
            return st.deferred(lambda: _struct(cls))
        case _:
            raise AssertionError(f"no strategy for {info}")
