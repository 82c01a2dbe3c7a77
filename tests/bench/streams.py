"""Answers streamed by a stand-in model (model.c): what the parts of bench.py ask it, and measure at one client."""
import collections
import http.client
import json
import statistics
import subprocess
import time
import urllib.parse
import urllib.request

import documents

CLIENTS = 8
OWNERS = 20  # of the crowd's sessions: nobody takes the others' places
RATE = 30  # tokens a second, of each


def sessions(base, token, ids, path):
    """A chatbot over these documents, and a session for each client; a file of their ids, one a line."""
    def post(where, body):
        return documents.send(documents.connect(base), token, where, json.dumps(body).encode(), "application/json")

    bot = post("/api/chatbots", {"name": "Bench", "documents": ids})["id"]
    made = [post("/api/chat/sessions", {"chatbotId": bot})["id"] for _ in range(CLIENTS)]
    with open(path, "w") as file:
        file.writelines(id + "\n" for id in made)
    return made


def questions(path):
    with open(path, "w") as file:
        for article in documents.articles():
            for q in article["questions"]:
                file.write(json.dumps({"content": q["question"]}) + "\n")


def read(build, port, token, sessions, questions, seconds):
    """Complete streams a second, p50 and p99 in ms, of all sessions at once (reader.c)."""
    out = subprocess.run([f"{build}/tests/bench/reader", str(port), token, sessions, questions, str(seconds)], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    rate, p50, p99, bad = out.split()[1:]
    if int(bad):
        raise SystemExit(f"bench: {bad} bad streams")
    return float(rate), int(p50) / 1000, int(p99) / 1000


def connections(model):
    with urllib.request.urlopen(model + "/connections", timeout=5) as answer:
        return int(answer.read())


def backends_of_chat(state):
    found = []
    for pid in documents.backends(state):
        with open(f"/proc/{pid}/cmdline") as file:
            if "parley_chat " in file.read():
                found.append(pid)
    return found


def first_token(url, body, mark, headers, count):
    """The median of the milliseconds until `mark` has come."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        connection.request("POST", parts.path, json.dumps(body), {"Content-Type": "application/json", **headers})
        answer, read = connection.getresponse(), b""
        while mark not in read:
            piece = answer.read1(65536)
            if not piece:
                raise SystemExit(f"bench: an answer without {mark}: {read[:300]}")
            read += piece
        times.append(1000 * (time.perf_counter() - start))
        answer.read()
    return statistics.median(times)


def many_sessions(base, tokens, count, path):
    """So many sessions of these users, in turn; a file with their ids and tokens, one a line."""
    def post(token, where, body):
        return documents.send(documents.connect(base), token, where, json.dumps(body).encode(), "application/json")["id"]

    bots = [post(token, "/api/chatbots", {"name": "Crowd"}) for token in tokens]
    with open(path, "w") as file:
        for i in range(count):
            token, bot = tokens[i % len(tokens)], bots[i % len(tokens)]
            file.write(f"{post(token, '/api/chat/sessions', {'chatbotId': bot})} {token}\n")


Crowd = collections.namedtuple("Crowd", "lost p50 p99 longest first50 first99 megabytes busy")


def crowd(build, port, sessions, seconds, pids):
    """All those sessions at once (crowd.c), and what these processes use in the middle of it."""
    reader = subprocess.Popen([f"{build}/tests/bench/crowd", str(port), sessions, str(RATE), str(seconds)], text=True,
                              stdout=subprocess.PIPE)
    time.sleep(seconds / 2)
    before, start = [documents.cpu([pid]) for pid in pids], time.time()
    megabytes = [documents.pss(pid) for pid in pids]
    time.sleep(seconds / 4)
    busy = [(documents.cpu([pid]) - was) / (time.time() - start) for pid, was in zip(pids, before)]
    out = reader.communicate()[0]
    _, lost, p50, p99, longest, first50, first99 = map(int, out.split()[1:])
    return Crowd(lost, p50, p99, longest, first50, first99, megabytes, busy)
