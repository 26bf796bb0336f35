"""`signed` against published vectors and against what must be refused."""

import base64
import unittest

import signed

# C2SP signed-note.md at 5ba5ee830903, CC BY 4.0: the example note and its verifier key.
EXAMPLE_NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
EXAMPLE_KEY = base64.b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:]


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, by its own recursion."""
    if not leaves:
        return signed.sha256(b"")
    if len(leaves) == 1:
        return signed.leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return signed.node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, by its own recursion."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path_of(index, leaves[:split]) + [root_of(leaves[split:])]
    return path_of(index - split, leaves[split:]) + [root_of(leaves[:split])]


class Proofs(unittest.TestCase):
    def test_every_leaf_of_every_small_tree_is_proved(self):
        for size in range(1, 34):
            leaves = [bytes([n]) for n in range(size)]
            root = root_of(leaves)
            for index, leaf in enumerate(leaves):
                proof = path_of(index, leaves)
                signed.verify_inclusion(signed.leaf_hash(leaf), index, size, proof, root)

    def test_a_changed_proof_is_refused(self):
        leaves = [bytes([n]) for n in range(11)]
        root, proof, leaf = root_of(leaves), path_of(6, leaves), signed.leaf_hash(leaves[6])
        flipped = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
        cases = [(6, 11, proof[:-1]), (6, 11, proof + proof[:1]), (7, 11, proof), (6, 20, proof),
                 (11, 11, proof), (6, 11, flipped), (6, 11, [b"", *proof[1:]])]
        for index, size, changed in cases:
            with self.subTest(index=index, size=size), self.assertRaises(signed.Refused):
                signed.verify_inclusion(leaf, index, size, changed, root)


class Notes(unittest.TestCase):
    def test_the_published_example_opens(self):
        note = signed.Note.parse(EXAMPLE_NOTE)
        (signature,) = note.by("example.com/foo", signed.NOTE_LOG, EXAMPLE_KEY)
        signed.verify(EXAMPLE_KEY, note.text, signature, "example")

    def test_another_text_under_the_same_signature_is_refused(self):
        note = signed.Note.parse(EXAMPLE_NOTE.replace(b"example message", b"Example message"))
        (signature,) = note.by("example.com/foo", signed.NOTE_LOG, EXAMPLE_KEY)
        with self.assertRaises(signed.Refused):
            signed.verify(EXAMPLE_KEY, note.text, signature, "example")

    def test_a_checkpoint_needs_its_origins_own_key(self):
        note = signed.Note.parse(EXAMPLE_NOTE)
        with self.assertRaises(signed.Refused):
            signed.Checkpoint.open(note, "example.com/bar", EXAMPLE_KEY)


class Statements(unittest.TestCase):
    def test_pae_is_as_dsse_defines_it(self):
        self.assertEqual(
            signed.pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        )

    def test_an_entry_is_laid_out_as_specified(self):
        high, low = (b"\xff" * 32, 1, b"\x02" * 64), (b"\x00" * 32, 1, b"\x03" * 64)
        written = signed.entry("t", b"pay", [high, low])
        head = b"\x01\x01t\x00\x03pay\x02"
        self.assertEqual(written, head + low[0] + b"\x01\x00\x40" + low[2] + high[0] + b"\x01\x00\x40" + high[2])

    def test_a_key_file_is_read_past_its_comments(self):
        seed = base64.b64encode(bytes(range(32))).decode()
        key = signed.SigningKey.read(f"# person: p-1\ntocsin-key-v1 record {seed}\n")
        self.assertEqual(key.purpose, "record")
        signed.verify(key.public, b"said", key.sign(b"said"), "own")
        with self.assertRaises(signed.Refused):
            signed.SigningKey.read(f"tocsin-key-v9 record {seed}\n")


if __name__ == "__main__":
    unittest.main()
