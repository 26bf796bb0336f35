"""Drives `client` through one story and prints what happened, one JSON object a line.

submit at home, prove it at home and elsewhere, watch at home until it dies, resume at another member by cursor; and
beside that a second watcher whom nothing interrupts. It ends well when both hold the same.

One line is read from standard input: `stop`, when no more will be said in the alliance. Lines `{"event": "watching"}`
tell how many notices were seen, so that the driver knows when to kill the home node.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
import threading
import time

import grpc

import client
import signed

# The longest anything here may take that is waited for.
PATIENCE_SECONDS = 60
BACKOFF_SECONDS = 0.2
# How often, in notices, the watcher that will be interrupted says how far it is.
TOLD_EVERY = 20

printing = threading.Lock()


def say(event: str, **facts) -> None:
    with printing:
        print(json.dumps({"event": event, **facts}), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    member = "MEMBER=HOST:PORT"
    parser.add_argument("--home", required=True, metavar=member, help="where the client is at home")
    parser.add_argument("--other", required=True, metavar=member, help="where it resumes")
    parser.add_argument("--steady", metavar=member, help="where the uninterrupted one watches; as --other")
    parser.add_argument("--jurisdiction", required=True, help="whose notices are watched")
    parser.add_argument("--alliance", required=True, type=pathlib.Path, help="alliance.tsa")
    parser.add_argument("--genesis", help="hash of the genesis roster, to pin it")
    parser.add_argument("--cert", required=True, type=pathlib.Path, help="client certificate")
    parser.add_argument("--key", required=True, type=pathlib.Path, help="its private key")
    parser.add_argument("--record-key", required=True, type=pathlib.Path, help="an investigator's")
    parser.add_argument("--reports", type=int, default=1, help="how many reports to submit")
    parser.add_argument("--at-least", type=int, default=200, help="notices to have seen in all")
    return parser.parse_args()


def submit_and_prove(home: client.Node, other: client.Node, key: signed.SigningKey, count: int) -> None:
    """Submits reports; the last is proved at home by its receipt, again by a retry, and at the other member."""
    year = time.gmtime().tm_year
    number = home.next_number(year)
    for step in range(count):
        now_ms = time.time_ns() // 1_000_000
        title = f"EXERCISE: report {step} of a client in another language"
        statement, bodies = home.report(title, "Invented for a test.", number + step, now_ms)
        response, entry = home.submit(statement, bodies, key)
    receipt = response.receipt
    checkpoint = home.prove(receipt, entry)
    say("submitted", name=response.name, index=receipt.index, size=checkpoint.size, root=checkpoint.root.hex())

    again, same = home.submit(statement, bodies, key)
    if same != entry or (again.receipt.index, again.name) != (receipt.index, response.name):
        raise signed.Refused("the same statement again got another place")
    say("retried", index=again.receipt.index)

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            seen, cosigners = other.prove_elsewhere(receipt.log, receipt.index, entry)
            break
        except grpc.RpcError as error:
            if time.monotonic() > deadline:
                raise
            say("waiting", at=other.member.id, code=error.code().name)
            time.sleep(BACKOFF_SECONDS)
    say("proved_elsewhere", at=other.member.id, size=seen.size, root=seen.root.hex(), cosigners=cosigners)


def screen_some_lines(home: client.Node) -> None:
    """Nothing is barred yet; one line says a word that is none, and the others have their answers."""
    goods = {"declaration": "D-1", "gtins": ["4006381333931"], "description": "desk lamps"}
    lines = [goods | {"line": 1}, goods | {"line": 2, "direction": "sideways"}, goods | {"line": 3}]
    say("screened", outcomes=home.screen(lines))


class Watch(threading.Thread):
    """One watcher over a list of nodes: when a stream breaks it goes on at the next, by cursor."""

    def __init__(self, name: str, nodes: list[client.Node], jurisdiction: str):
        super().__init__(name=name, daemon=True)
        self.nodes, self.jurisdiction = nodes, jurisdiction
        self.watcher = client.Watcher()
        self.breaks: list[dict] = []
        self.failure: BaseException | None = None
        self.finished = threading.Event()

    def run(self) -> None:
        try:
            self._watch()
        except BaseException as failure:  # noqa: BLE001, told to the main thread
            self.failure = failure
            say("failed", who=self.name, why=str(failure))

    def _watch(self) -> None:
        at = 0
        while not self.finished.is_set():
            node = self.nodes[at]
            cursor = self.watcher.cursor
            say("watching_at", who=self.name, at=node.member.id, cursor=cursor)
            try:
                for response in node.watch(self.jurisdiction, cursor):
                    self._take(response)
                    if self.finished.is_set():
                        return
                why = "closed"
            except grpc.RpcError as error:
                # Only a node that is away is a reason to go elsewhere; a refusal is a failure.
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                why = error.code().name
            self.breaks.append({"at": node.member.id, "why": why, "notices": self.watcher.notices})
            say("broken", who=self.name, **self.breaks[-1])
            at = min(at + 1, len(self.nodes) - 1)
            time.sleep(BACKOFF_SECONDS)

    def _take(self, response) -> None:
        kind = self.watcher.take(response)
        if kind == "notice" and self.watcher.notices % TOLD_EVERY == 0:
            say("watching", who=self.name, notices=self.watcher.notices)


def settle(moved: Watch, steady: Watch) -> None:
    """Waits until both stand at the same position with nothing behind: then both were told everything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        for watch in (moved, steady):
            if watch.failure is not None:
                raise watch.failure
        here, there = moved.watcher, steady.watcher
        if here.cursor is not None and here.cursor == there.cursor and here.behind == there.behind == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"cursors never met: {here.cursor} and {there.cursor}")
        time.sleep(BACKOFF_SECONDS)


def main() -> int:
    given = arguments()
    alliance = signed.Alliance.read(given.alliance.read_text(), given.genesis)
    identity = client.Identity(given.cert.read_bytes(), given.key.read_bytes())
    record_key = signed.SigningKey.read(given.record_key.read_text())
    with tempfile.TemporaryDirectory(prefix="tocsin-client-") as generated:
        client.generate(pathlib.Path(generated))

        def node(where: str) -> client.Node:
            member, endpoint = where.split("=", 1)
            return client.Node(alliance, member, endpoint, identity)

        home, other = node(given.home), node(given.other)
        steady = Watch("steady", [node(given.steady or given.other)], given.jurisdiction)
        moved = Watch("moved", [home, other], given.jurisdiction)
        submit_and_prove(home, other, record_key, given.reports)
        screen_some_lines(home)
        steady.start()
        moved.start()
        for line in sys.stdin:
            if line.strip() == "stop":
                break
        settle(moved, steady)
        for watch in (moved, steady):
            watch.finished.set()
        problems = compare(moved, steady, given.at_least)
        say(
            "done",
            ok=not problems,
            problems=problems,
            notices=moved.watcher.notices,
            blocks=len(moved.watcher.blocks),
            breaks=moved.breaks,
            cursor=moved.watcher.cursor,
        )
    return 1 if problems else 0


def compare(moved: Watch, steady: Watch, at_least: int) -> list[str]:
    """What is wrong with the outcome, in words; nothing when all is well."""
    problems = []
    if moved.watcher.notices < at_least:
        problems.append(f"saw {moved.watcher.notices} notices, want {at_least}")
    if not moved.breaks:
        problems.append("the home node was never lost")
    if steady.breaks:
        problems.append(f"the steady watcher was interrupted: {steady.breaks}")
    here, there = moved.watcher.blocks, steady.watcher.blocks
    for block in sorted(here.keys() | there.keys()):
        if here.get(block) != there.get(block):
            shown = [dataclasses.asdict(b) if b else None for b in (here.get(block), there.get(block))]
            problems.append(f"{block}: {shown[0]} after resuming, {shown[1]} uninterrupted")
    return problems


if __name__ == "__main__":
    sys.exit(main())
