"""Chats whose model calls tools of stand-in servers (mcp.mjs): what the part of bench.py asks them, and measures."""
import http.client
import json
import os
import statistics
import threading
import time
import urllib.request

SERVERS = 10
CHATS = 100  # in loops at once
OWNERS = 5   # of them
ROUNDS = 5
WAIT_MS = 1000  # of each tool then


def add_servers(call, model, token, numbers, era="modern"):
    for n in numbers:
        call("POST", "/auth/mcp-servers", {"name": f"S{n}", "config": {"uri": f"{model}/{era}/{n}"}}, token)


def timed(fn, times):
    """The median of so many, in ms, and what came of the last."""
    took, result = [], None
    for _ in range(times):
        start = time.perf_counter()
        result = fn()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took), result


def direct(port, path, times):
    """p50 of a call at the server itself, on a connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "work", "arguments": {"ms": 0}}})

    def one():
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().read()
    return timed(one, times)[0]


def ask(call, token, chat, rounds, ms):
    answer = call("POST", f"/chat/chats/{chat}/messages", {"content": f"loop {rounds} {ms}"}, token)
    if answer["content"] != "done" or [c["status"] for c in answer["tool_calls"]] != ["done"] * rounds:
        raise SystemExit(f"bench: {answer}")


def gaps(model):
    with urllib.request.urlopen(model + "/gaps", timeout=5) as answer:
        return json.loads(answer.read())


def hang(model, number):
    urllib.request.urlopen(urllib.request.Request(model + "/hang", str(number).encode()), timeout=5).read()


def threads(pid, name):
    """How many threads of that name it has."""
    found = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm") as file:
                found += file.read().strip() == name
        except OSError:
            pass  # it has ended
    return found


def crowd(call, tokens, pid):
    """All chats at once: the seconds that it takes, and how many threads of writers svc-chat had at most."""
    chats = [(tokens[i % len(tokens)], call("POST", "/chat/chats", {}, tokens[i % len(tokens)])["id"]) for i in range(CHATS)]
    failed, most = [], 0

    def one(token, chat):
        try:
            ask(call, token, chat, ROUNDS, WAIT_MS)
        except (SystemExit, OSError) as why:
            failed.append(str(why))
    running = [threading.Thread(target=one, args=each) for each in chats]
    start = time.time()
    [t.start() for t in running]
    while any(t.is_alive() for t in running):
        most = max(most, threads(pid, "writer"))
        time.sleep(0.05)
    if failed:
        raise SystemExit(f"bench: {len(failed)} chats failed: {failed[0]}")
    return time.time() - start, most
