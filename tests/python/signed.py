"""Signed bytes, checked from first principles: DSSE, entries, RFC 6962 trees, C2SP notes, the alliance file.

Written from the published formats alone, in another language than the node, so that two readings of them meet.
Needs only the `cryptography` package.
"""

import base64
import dataclasses
import hashlib
import json
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

STATEMENT_TYPE = "application/vnd.tocsin.statement.v1+protobuf"
ROSTER_TYPE = "application/vnd.tocsin.roster.v1+json"
MANIFEST_TYPE = "application/vnd.tocsin.manifest.v1+json"
ALG_ED25519 = 1
NOTE_LOG = 0x01
NOTE_COSIGNATURE = 0x04


class Refused(Exception):
    """What was received does not verify; the text says which check failed."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# ---- keys and signatures ----


def key_id(public: bytes) -> bytes:
    return sha256(b"tocsin/key-id/v1\x00" + bytes([ALG_ED25519]) + public)


def verify(public: bytes, message: bytes, signature: bytes, what: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise Refused(f"{what}: the signature does not verify") from error


@dataclasses.dataclass(frozen=True)
class SigningKey:
    """One Ed25519 key of one purpose, as the tool's key file holds it."""

    purpose: str
    secret: Ed25519PrivateKey

    @classmethod
    def read(cls, text: str) -> "SigningKey":
        """`tocsin-key-v1 <purpose> <base64 seed>`; lines that start with `#` are comments."""
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        version, purpose, seed = lines[0].split()
        if version != "tocsin-key-v1" or len(lines) != 1:
            raise Refused("key file: want one line `tocsin-key-v1 PURPOSE SEED`")
        return cls(purpose, Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed, validate=True)))

    @property
    def public(self) -> bytes:
        return self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self.secret.sign(message)


# ---- statements and entries ----


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_id(payload_type: str, payload: bytes) -> bytes:
    return sha256(pae(payload_type, payload))


def entry(payload_type: str, payload: bytes, signatures: list[tuple[bytes, int, bytes]]) -> bytes:
    """The leaf: the statement and its signatures, ascending by key id."""
    kind = payload_type.encode()
    parts = [struct.pack(">BB", 1, len(kind)), kind, struct.pack(">H", len(payload)), payload]
    parts.append(struct.pack(">B", len(signatures)))
    for identity, alg, signature in sorted(signatures):
        parts += [identity, struct.pack(">BH", alg, len(signature)), signature]
    return b"".join(parts)


# ---- the tree (RFC 6962, section 2.1) ----


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    """Recomputes the root from one leaf and its neighbours, from the leaf upwards."""
    if not 0 <= index < size or any(len(step) != 32 for step in proof):
        raise Refused("inclusion proof: index outside the tree, or a hash of another length")
    here, at, last = leaf, index, size - 1
    for step in proof:
        if last == 0:
            raise Refused("inclusion proof: too long")
        if at & 1 or at == last:
            here = node_hash(step, here)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            here = node_hash(here, step)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise Refused("inclusion proof: too short")
    if here != root:
        raise Refused("inclusion proof: it leads to another root than the note signs")


# ---- notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ----


@dataclasses.dataclass(frozen=True)
class Note:
    """Signed text; `signatures` are (name, key hash of 4 bytes, the rest)."""

    text: bytes
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def parse(cls, raw: bytes) -> "Note":
        text, separator, tail = raw.rpartition(b"\n\n")
        if not separator or not tail.endswith(b"\n"):
            raise Refused("note: no signatures")
        signatures = []
        for line in tail.decode().splitlines():
            dash, name, blob = line.split(" ")
            decoded = base64.b64decode(blob, validate=True)
            if dash != "\u2014" or len(decoded) < 5:
                raise Refused("note: malformed signature line")
            signatures.append((name, decoded[:4], decoded[4:]))
        return cls(text + b"\n", signatures)

    def by(self, name: str, kind: int, public: bytes) -> list[bytes]:
        """What the named key put there; others' signatures are not ours to judge."""
        wanted = sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]
        return [rest for signer, hint, rest in self.signatures if (signer, hint) == (name, wanted)]


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: so many leaves, with this root."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def open(cls, note: Note, origin: str, log_key: bytes) -> "Checkpoint":
        """Parses the note and holds it against the origin's key."""
        own = note.by(origin, NOTE_LOG, log_key)
        if not own:
            raise Refused(f"note: not signed by the key of {origin}")
        for signature in own:
            verify(log_key, note.text, signature, f"note of {origin}")
        lines = note.text.decode().split("\n")
        if len(lines) != 4 or lines[0] != origin or lines[3] or str(int(lines[1])) != lines[1]:
            raise Refused(f"note: not a checkpoint of {origin}")
        return cls(origin, int(lines[1]), base64.b64decode(lines[2], validate=True))


def cosigned_at(note: Note, name: str, mirror_key: bytes) -> int | None:
    """The time at which a mirror vouched for the note, in seconds; none when it did not."""
    for rest in note.by(name, NOTE_COSIGNATURE, mirror_key):
        (time,) = struct.unpack(">Q", rest[:8])
        message = b"cosignature/v1\ntime %d\n" % time + note.text
        verify(mirror_key, message, rest[8:], f"cosignature of {name}")
        return time
    return None


# ---- the alliance ----


@dataclasses.dataclass(frozen=True)
class Member:
    """One member as its own manifest describes it."""

    id: str
    jurisdiction: str
    origin: str
    log_key: bytes
    mirror_key: bytes
    ca_pem: bytes


@dataclasses.dataclass(frozen=True)
class Alliance:
    """Members and keys, as the genesis roster and the manifests sign them."""

    label: str
    genesis: bytes
    members: dict[str, Member]

    @classmethod
    def read(cls, text: str, genesis: str | None = None) -> "Alliance":
        """Checks the file against the pinned genesis hash, the founders' keys and each member's own."""
        file = json.loads(text)
        roster_bytes, roster_signers = _envelope(file["roster"], ROSTER_TYPE)
        if genesis is not None and sha256(roster_bytes).hex() != genesis:
            raise Refused("alliance file: another genesis than the one pinned")
        roster = json.loads(roster_bytes)
        label = roster["alliance"]
        governors = {}
        for founder in roster["members"]:
            keys = [bytes.fromhex(key) for key in founder["gov_keys"]]
            governors[founder["id"]] = (founder, keys)
            roster_signers(keys, founder.get("gov_threshold", 1), f"roster, founder {founder['id']}")
        members = {}
        for envelope in file["manifests"]:
            payload, signers = _envelope(envelope, MANIFEST_TYPE)
            manifest = json.loads(payload)
            founder, keys = governors[manifest["member"]]
            signers(keys, founder.get("gov_threshold", 1), f"manifest of {founder['id']}")
            members[founder["id"]] = Member(
                id=founder["id"],
                jurisdiction=founder["jurisdiction"],
                origin=f"{label}/{founder['id']}/{manifest['generation']}",
                log_key=bytes.fromhex(manifest["log_key"]),
                mirror_key=bytes.fromhex(manifest["mirror_key"]),
                ca_pem=manifest["tls"]["ca_pem"].encode(),
            )
        return cls(label, sha256(roster_bytes), members)

    def cosigners(self, note: Note, origin: str) -> list[str]:
        """Members other than the origin whose cosignature stands under the note and verifies."""
        mirrors = (m for m in self.members.values() if m.origin != origin)
        named = ((m.id, f"{self.label}/{m.id}/mirror", m.mirror_key) for m in mirrors)
        return [who for who, name, key in named if cosigned_at(note, name, key) is not None]


def _envelope(envelope: dict, payload_type: str):
    """The payload of a DSSE envelope, and a check that so many of these keys signed it."""
    payload = base64.b64decode(envelope["payload"], validate=True)
    if envelope["payloadType"] != payload_type:
        raise Refused(f"envelope: {envelope['payloadType']}, want {payload_type}")
    message = pae(payload_type, payload)
    signatures = {
        bytes.fromhex(s["keyid"]): base64.b64decode(s["sig"], validate=True)
        for s in envelope["signatures"]
    }

    def signed_by(keys: list[bytes], threshold: int, what: str) -> None:
        held = [key for key in keys if key_id(key) in signatures]
        for key in held:
            verify(key, message, signatures[key_id(key)], what)
        if len(held) < threshold:
            raise Refused(f"{what}: {len(held)} of {threshold} signatures")

    return payload, signed_by
