"""The parts of bench.py about documents: from text to searchable, and searching."""
import http.client
import json
import os
import re
import socket
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FILES, CLIENTS, UPLOADERS = 100, 8, 4
TICKS = os.sysconf("SC_CLK_TCK")


def articles():
    with open(os.path.join(ROOT, "tests/eval/qa.json"), encoding="utf-8") as file:
        return json.load(file)["articles"]


def files(count):
    """The articles in `count` files of whole paragraphs, each paragraph in two of them: some 900 chunks."""
    paragraphs = [(a["title"], p) for a in articles() for p in a["paragraphs"]] * 2
    size = len(paragraphs) / count
    parts = [paragraphs[round(i * size):round((i + 1) * size)] for i in range(count)]
    return [(f"{part[0][0]} {i}", "\n\n".join(p for _, p in part)) for i, part in enumerate(parts)]


class Kept:
    """A connection that is kept, and asks for what is ready in bytes: http.client takes longer than an upload may."""

    def __init__(self, base):
        self.host = urllib.parse.urlsplit(base).netloc
        self.socket = socket.create_connection(self.host.split(":"), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, token, path, body, kind):
        self.socket.sendall(f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        got = self.socket.recv(65536)
        while b"\r\n\r\n" not in got:
            got += self.socket.recv(65536) or sys.exit(f"bench: {path}: the connection was closed")
        head, text = got.split(b"\r\n\r\n", 1)
        size = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head).group(1))
        while len(text) < size:
            text += self.socket.recv(65536) or sys.exit(f"bench: {path}: the connection was closed")
        if not head.startswith(b"HTTP/1.1 2"):
            sys.exit(f"bench: {path}: {head} {text}")
        return json.loads(text)


def connect(base):
    return http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=120)


def send(connection, token, path, body, kind):
    connection.request("POST", path, body, {"Authorization": "Bearer " + token, "Content-Type": kind})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"bench: {path}: {answer.status} {text}")
    return json.loads(text)


def form(name, text):
    """Its body, and of what kind that is."""
    border = uuid.uuid4().hex
    body = (f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}.txt"\r\nContent-Type: text/plain\r\n\r\n'
            f"{text}\r\n--{border}--\r\n").encode()
    return body, f"multipart/form-data; boundary={border}"


def upload(base, token, name, text, wait=60):
    return send(connect(base), token, f"/api/documents/upload?wait={wait}", *form(name, text))


def until_ready(base, token, ids):
    chunks = 0
    for id in ids:
        while True:
            request = urllib.request.Request(f"{base}/api/documents/{id}", headers={"Authorization": "Bearer " + token})
            with urllib.request.urlopen(request, timeout=30) as answer:
                document = json.loads(answer.read())
            if document["status"] in ("ready", "failed"):
                break
            time.sleep(0.01)
        if document["status"] == "failed":
            raise SystemExit(f"bench: {document}")
        chunks += document["chunks"]
    return chunks


def ingest(base, token, texts):
    """Seconds until all can be searched, and chunks: a few uploads at a time, as a page does. What is ready in its answer is
    asked for no more."""
    todo, ids, ready, lock = [form(*t) for t in texts], [], [], threading.Lock()

    def work():
        connection = Kept(base)
        while True:
            with lock:
                if not todo:
                    return
                body, kind = todo.pop()
            document = connection.send(token, "/api/documents/upload?wait=0", body, kind)
            with lock:
                if document["status"] == "ready":
                    ready.append(document["chunks"])
                else:
                    ids.append(document["id"])

    start = time.time()
    threads = [threading.Thread(target=work) for _ in range(min(UPLOADERS, len(texts)))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if len(ready) + len(ids) != len(texts):
        sys.exit("bench: an upload failed")  # a thread's own exit ends nothing but the thread
    chunks = sum(ready) + until_ready(base, token, ids)
    return time.time() - start, chunks


def large_text(size, book=0):
    paragraphs = [p for a in articles() for p in a["paragraphs"]]
    out, n, i = [f"Book {book}."], 0, 0
    while n < size:  # numbers make each copy's words its own, as in a real book
        text = f"Chapter {i}{'abcdefghijklmnopqrstuvwxyz'[book % 26] * (book > 0)}. {paragraphs[i % len(paragraphs)]}"
        out.append(text)
        n += len(text) + 2
        i += 1
    return "\n\n".join(out)


def cpu(pids):
    """Seconds of processor time that these have used so far."""
    used = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            used += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return used / TICKS


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) / 1024


def backends(state):
    """The PostgreSQL of this stack, with its backends."""
    with open(os.path.join(os.path.realpath(f"{state}/postgres"), "data/postmaster.pid")) as file:
        head = file.readline().strip()
    found = [head]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[1] == head:
                    found.append(pid)
        except OSError:
            pass
    return found


def questions(path):
    with open(path, "w") as file:
        for article in articles():
            for q in article["questions"]:
                file.write(json.dumps({"query": q["question"], "limit": 8}) + "\n")
