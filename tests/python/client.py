"""A client of Tocsin made from `proto/` alone: submits, proves, watches, resumes elsewhere."""

import dataclasses
import importlib
import importlib.resources
import os
import pathlib
import sys

import grpc
from grpc_tools import protoc

import signed

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
# A stream says something at least this often (heartbeats), or it is dead.
SILENCE_SECONDS = 60
UNARY_SECONDS = 30


def generate(into: pathlib.Path) -> None:
    """Compiles the contract into Python modules below `into`, and makes them importable."""
    common = importlib.resources.files("grpc_tools") / "_proto"
    sources = sorted(str(path) for path in PROTO.glob("tocsin/v1/*.proto"))
    paths = [f"-I{PROTO}", f"-I{common}", f"--python_out={into}", f"--grpc_python_out={into}"]
    if protoc.main(["protoc", *paths, *sources]) != 0:
        raise RuntimeError("proto/ does not compile")
    sys.path.insert(0, str(into))


def contract(name: str):
    """The generated module of one file of the contract, e.g. `submit_pb2`."""
    return importlib.import_module(f"tocsin.v1.{name}")


@dataclasses.dataclass(frozen=True)
class Identity:
    """A client certificate and its key, as files' contents."""

    certificate: bytes
    key: bytes


@dataclasses.dataclass(frozen=True)
class Block:
    """The last state of one block: what must be equal whoever told it, and in whatever order."""

    version: int
    state: str
    reason: str
    from_ms: int
    until_ms: int
    order_id: str
    decision_id: str
    by: str
    scope: str


class Node:
    """One member's node, reached over mutual TLS."""

    def __init__(self, alliance: signed.Alliance, member: str, endpoint: str, identity: Identity):
        self.alliance = alliance
        self.member = alliance.members[member]
        # The member's own CA and no other; the name asked for is the member's, whatever the address.
        trust = grpc.ssl_channel_credentials(self.member.ca_pem, identity.key, identity.certificate)
        options = [("grpc.ssl_target_name_override", f"{member}.{alliance.label}")]
        self.channel = grpc.secure_channel(endpoint, trust, options)

    def close(self) -> None:
        self.channel.close()

    def stub(self, file: str, service: str):
        return getattr(contract(f"{file}_pb2_grpc"), f"{service}Stub")(self.channel)

    # -- screening --

    def screen(self, lines: list[dict]) -> list[str]:
        """The outcome of each line of a declaration, in order; of a line that was refused, the reason."""
        screen = contract("screen_pb2")
        requests = (screen.ScreenStreamRequest(lines=[screen.DeclarationLine(**line)]) for line in lines)
        results = []
        for response in self.stub("screen", "ScreenService").ScreenStream(requests, timeout=UNARY_SECONDS):
            for result in response.results:
                refused = result.WhichOneof("result") == "refused"
                outcome = screen.Outcome.Name(result.answer.outcome).removeprefix("OUTCOME_").lower()
                results.append(result.refused.reason if refused else outcome)
        return results

    # -- saying something --

    def next_number(self, year: int) -> int:
        """The next free number of this member in `year`, over reports, orders and indicators."""
        record = contract("record_pb2")
        kinds = [("ReportService", "ListReports"), ("OrderService", "ListOrders"),
                 ("IndicatorService", "ListIndicators")]
        taken = [0]
        for service, method in kinds:
            call = getattr(self.stub("record", service), method)
            request = getattr(record, f"{method}Request")(filter=f'issuer = "{self.member.id}"', page_size=500)
            while True:
                page = call(request, timeout=UNARY_SECONDS)
                names = [r.name.rsplit("/", 1)[-1].split("-") for r in page.records]
                taken += [int(number) for of, number in names if int(of) == year]
                if not page.next_page_token:
                    break
                request.page_token = page.next_page_token
        return max(taken) + 1

    def submit(self, statement, bodies: list[bytes], key: signed.SigningKey, wait_for: int = 1):
        """Signs and submits; answers the response and the exact entry that must now stand in the log."""
        submit = contract("submit_pb2")
        payload = statement.SerializeToString(deterministic=True)
        message = signed.pae(signed.STATEMENT_TYPE, payload)
        signature = (signed.key_id(key.public), signed.ALG_ED25519, key.sign(message))
        request = submit.SubmitRequest(
            statement=submit.SignedStatement(
                payload_type=signed.STATEMENT_TYPE,
                payload=payload,
                signatures=[submit.Signature(key_id=signature[0], alg=signature[1], sig=signature[2])],
            ),
            body=bodies[0] if bodies else b"",
            further_bodies=bodies[1:],
            wait_for=wait_for,
        )
        response = self.stub("submit", "SubmitService").Submit(request, timeout=UNARY_SECONDS)
        return response, signed.entry(signed.STATEMENT_TYPE, payload, [signature])

    def report(self, title: str, narrative: str, number: int, now_ms: int):
        """A report on goods, TLP:CLEAR and marked as an exercise: the statement and its one body."""
        words = contract("statement_pb2")
        body = words.ReportBody(
            title=title,
            narrative=narrative,
            source_reliability="F",
            credibility=6,
            collected_ms=now_ms,
            exercise=True,
        )
        # The salt keeps a guessed text from being confirmed by its digest.
        salted = os.urandom(32) + body.SerializeToString(deterministic=True)
        statement = words.Statement(
            log=f"{self.alliance.label}/{self.member.id}",
            nonce=os.urandom(16),
            created_ms=now_ms,
            number=number,
            tlp=words.TLP_CLEAR,
            bodies=[words.BodyRef(sha256=signed.sha256(salted), length=len(salted))],
            report=words.Report(kind=words.REPORT_KIND_INFRINGEMENT),
        )
        return statement, [salted]

    # -- proving it --

    def prove(self, receipt, entry: bytes) -> signed.Checkpoint:
        """Holds a receipt against the entry as the client itself would write it."""
        if receipt.log != self.member.origin:
            raise signed.Refused(f"receipt: of {receipt.log}, want {self.member.origin}")
        note = signed.Note.parse(receipt.note)
        checkpoint = signed.Checkpoint.open(note, receipt.log, self.member.log_key)
        proof = list(receipt.inclusion_proof)
        leaf = signed.leaf_hash(entry)
        signed.verify_inclusion(leaf, receipt.index, checkpoint.size, proof, checkpoint.root)
        return checkpoint

    def prove_elsewhere(self, origin: str, index: int, entry: bytes) -> tuple[signed.Checkpoint, list[str]]:
        """Proves an entry of another member's log from what this node serves; says who cosigned."""
        log = contract("log_pb2")
        service = self.stub("log", "LogService")
        head = service.GetCheckpoint(log.GetCheckpointRequest(log=origin), timeout=UNARY_SECONDS)
        author = next(m for m in self.alliance.members.values() if m.origin == origin)
        note = signed.Note.parse(head.note)
        checkpoint = signed.Checkpoint.open(note, origin, author.log_key)
        request = log.GetInclusionProofRequest(log=origin, index=index, size=checkpoint.size)
        answer = service.GetInclusionProof(request, timeout=UNARY_SECONDS)
        leaf, proof = signed.leaf_hash(entry), list(answer.proof)
        signed.verify_inclusion(leaf, index, checkpoint.size, proof, checkpoint.root)
        return checkpoint, self.alliance.cosigners(note, origin)

    # -- watching --

    def watch(self, jurisdiction: str, cursor: str | None):
        """Notices of one jurisdiction, from a cursor or from the beginning; the call is iterable."""
        notice = contract("notice_pb2")
        request = notice.WatchNoticesRequest(
            jurisdiction=jurisdiction,
            start=notice.WATCH_START_CURSOR if cursor else notice.WATCH_START_BEGINNING,
            cursor=cursor or "",
        )
        return self.stub("notice", "NoticeService").WatchNotices(request)


class Watcher:
    """What a customs agency keeps: the last state of each block, and where it stands."""

    def __init__(self) -> None:
        self.blocks: dict[str, Block] = {}
        self.cursor: str | None = None
        self.notices = 0
        self.behind = 0

    def take(self, response) -> str:
        """Takes one message of the stream; answers what kind it was."""
        kind = response.WhichOneof("event")
        if kind == "notice":
            self.notices += 1
            self._keep(response.notice)
        elif kind == "heartbeat":
            self.behind = response.heartbeat.behind
        if response.cursor:
            self.cursor = response.cursor
        return kind

    def _keep(self, notice) -> None:
        held = self.blocks.get(notice.block)
        # Equal or higher wins: delivery is at least once.
        if held is None or notice.version >= held.version:
            self.blocks[notice.block] = Block(
                version=notice.version,
                state=notice.state,
                reason=notice.reason,
                from_ms=notice.from_ms,
                until_ms=notice.until_ms,
                order_id=notice.order_id.hex(),
                decision_id=notice.decision_id.hex(),
                by=notice.by,
                scope=signed.sha256(notice.scope.SerializeToString(deterministic=True)).hex(),
            )
