"""The program of a gang: every rank streams random messages to every other and checks every byte it gets.

Prints one line a hundred messages received, and exits with 1 at the first wrong byte.
"""

CHATTER = """
import os, random, socket, struct, sys, threading, time, zlib

rank, world = int(os.environ["RANK"]), int(os.environ["WORLD"])
address = "10.99.0.%d"

def receive(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            sys.exit("the other side hung up")
        data += part
    return data

def send(sock, peer):
    words = random.Random(f"{rank} to {peer}")
    for number in range(10**9):
        body = words.randbytes(words.randrange(1, 65536))
        sock.sendall(struct.pack("!QII", number, len(body), zlib.crc32(body)) + body)

def listen(sock, peer):
    words = random.Random(f"{peer} to {rank}")
    for number in range(10**9):
        expected = words.randbytes(words.randrange(1, 65536))
        head = struct.unpack("!QII", receive(sock, 16))
        body = receive(sock, head[1])
        if head != (number, len(expected), zlib.crc32(expected)) or body != expected:
            print("WRONG", peer, number, flush=True)
            os._exit(1)
        if number % 100 == 0:
            print(peer, number, flush=True)

def guarded(work, *arguments):
    try:
        work(*arguments)
    except BaseException as error:
        print("BROKEN", arguments[1], repr(error), flush=True)
        os._exit(1)

def meet(server, peer):
    if peer > rank:
        sock, _ = server.accept()
        return sock, receive(sock, 1)[0]
    while True:
        try:
            sock = socket.create_connection((address % (peer + 1), 5000))
            sock.sendall(bytes([rank]))
            return sock, peer
        except OSError:
            time.sleep(0.01)

server = socket.create_server((address % (rank + 1), 5000))
for other in range(world):
    if other != rank:
        sock, peer = meet(server, other)
        for work in (send, listen):
            threading.Thread(target=guarded, args=(work, sock, peer)).start()
"""
