"""Waits for new mail by IMAP IDLE, and runs `hob run sync` when there is some."""
import imaplib
import os
import subprocess


def connect():
    kind = imaplib.IMAP4_SSL if os.environ.get("IMAP_TLS", "yes") == "yes" else imaplib.IMAP4
    box = kind(os.environ["IMAP_HOST"], int(os.environ["IMAP_PORT"]))
    box.login(os.environ["IMAP_USER"], os.environ["IMAP_PASSWORD"])
    box.select("INBOX", readonly=True)
    return box


def read(box):
    line = box.readline()
    if not line:
        raise ConnectionError("the server has ended the connection")
    return line


def idle(box):
    """Until something has changed in the folder. A server ends the connection of a client that idles for 30 minutes."""
    box.sock.settimeout(25 * 60)
    box.send(b"hob IDLE\r\n")
    while True:
        try:
            line = read(box)
        except TimeoutError:
            break
        if line.endswith(b"EXISTS\r\n"):
            break
    box.sock.settimeout(60)
    box.send(b"DONE\r\n")
    while not read(box).startswith(b"hob "):
        pass


server = connect()
print("waits for mail", flush=True)
while True:
    idle(server)
    subprocess.run(["hob", "run", "sync"], check=False)
