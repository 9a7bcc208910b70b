#!/usr/bin/python3
"""An S3-compatible store for tests: OpenStack Swift with its s3api in one process, on free ports of
127.0.0.1, objects in memory; and in front of it what goes wrong on the way to such stores.

usage: s3_server.py FOLDER

FOLDER/credentials has the access key's id and the secret key. Prints its port once it serves the
buckets coffer-data and coffer-keys, and ends with whoever started it. Whatever reaches it is
appended to FOLDER/received, byte by byte, and as a line of JSON to FOLDER/requests.

FOLDER/faults.json says what is to go wrong, and is read for each request:

  {"id": ANY NEW NUMBER, "faults": [{"method": "PUT", "path": PART OF IT, "query": PART OF IT,
    "skip": HOW MANY FIRST, "times": HOW OFTEN THEN, "do": WHAT, …}]}

  answer     "status", "headers", "body": without asking the store
  lost       the store does it, and the connection is reset
  reset      the connection is reset
  half_up    half of the body is read, and the connection is reset
  half_down  half of the store's answer is sent, and the connection ends
  drip       the store's answer, a byte at a time, for ever
  hang       no answer
  other      what was put under the first other name that has "other" in it
  more       "headers" beside those of the store
  without    "header" does not reach the store
"""

import array
import ctypes
import io
import json
import os
import signal
import socket
import struct
import sys

import eventlet
import eventlet.wsgi
from swift.common import utils

eventlet.monkey_patch(all=False, socket=True, select=True, thread=True)

from swift.account.server import AccountController  # noqa: E402
from swift.common import storage_policy  # noqa: E402
from swift.common.middleware import tempauth  # noqa: E402
from swift.common.middleware.s3api import s3api, s3request  # noqa: E402
from swift.common.ring import RingData  # noqa: E402
from swift.common.swob import Request  # noqa: E402
from swift.container.server import ContainerController  # noqa: E402
from swift.obj.mem_server import ObjectController  # noqa: E402
from swift.proxy.server import Application  # noqa: E402

PR_SET_PDEATHSIG = 1
DEVICE = "disk"


class Silent:
    def write(self, _):
        pass

    def flush(self):
        pass


class Cache:
    """As memcached, for one process."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def delete(self, key, **_):
        self.values.pop(key, None)


def serve(application):
    listening = eventlet.listen(("127.0.0.1", 0))
    eventlet.spawn(eventlet.wsgi.server, listening, application, log=Silent(), log_output=False,
                   debug=False, socket_timeout=None, keepalive=True)
    return listening.getsockname()[1]


def know_conditions():
    """Swift's objects know If-None-Match; what speaks S3 there refuses to ask them (501)."""
    validate = s3request.S3Request._validate_headers

    def validate_without(self):
        condition = self.environ.pop("HTTP_IF_NONE_MATCH", None) if self.method == "PUT" else None
        validate(self)
        if condition is not None:
            self.environ["HTTP_IF_NONE_MATCH"] = condition

    s3request.S3Request._validate_headers = validate_without


def start_swift(folder, key_id, secret):
    with open(folder + "/swift.conf", "w", encoding="ascii") as conf:
        conf.write("[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = one\n"
                   "default = yes\n")
    know_conditions()
    utils.set_swift_dir(folder)
    utils.validate_configuration()
    storage_policy.reload_storage_policies()
    conf = {"devices": folder + "/devices", "mount_check": "false", "swift_dir": folder,
            "log_level": "CRITICAL", "account_autocreate": "true", "allow_versions": "false",
            "node_timeout": "60", "conn_timeout": "10", "client_timeout": "60"}
    os.makedirs(conf["devices"] + "/" + DEVICE)
    for name, controller in (("account", AccountController), ("container", ContainerController),
                             ("object", ObjectController)):
        port = serve(controller(dict(conf)))
        device = {"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": DEVICE, "meta": "",
                  "ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1",
                  "replication_port": port}
        RingData([array.array("H", [0, 0])], [device], 31).save("%s/%s.ring.gz" % (folder, name))
    proxy = Application(dict(conf))
    account, user = key_id.split(":")
    auth = tempauth.filter_factory(
        dict(conf), **{"user_%s_%s" % (account, user): secret + " .admin"})
    below = auth(proxy)
    for bucket in ("coffer-data", "coffer-keys"):
        request = Request.blank("/v1/AUTH_%s/%s" % (account, bucket), method="PUT")
        request.environ["swift.authorize_override"] = True
        answer = request.get_response(proxy)
        assert answer.status_int == 201, answer.status
    # Lists of several pages are the rule.
    return s3api.filter_factory(dict(conf), max_bucket_listing="20",
                                dns_compliant_bucket_names="false",
                                allow_multipart_uploads="false")(below)


class Faults:
    def __init__(self, application, folder):
        self.application = application
        self.folder = folder
        self.id = None
        self.faults = []
        self.put = {}
        self.cache = Cache()

    def fault_for(self, env):
        try:
            with open(self.folder + "/faults.json", encoding="utf-8") as file:
                said = json.load(file)
        except FileNotFoundError:
            said = {"id": None, "faults": []}
        if said["id"] != self.id:
            self.id = said["id"]
            self.faults = said["faults"]
        for fault in self.faults:
            if (fault.get("method", env["REQUEST_METHOD"]) != env["REQUEST_METHOD"]
                    or fault.get("path", "") not in env["PATH_INFO"]
                    or fault.get("query", "") not in env["QUERY_STRING"]):
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            if fault.setdefault("times", 1 << 30) == 0:
                continue
            fault["times"] -= 1
            return fault
        return {"do": "nothing"}

    def note(self, env, body, fault):
        headers = {name[5:].replace("_", "-").lower(): value for name, value in env.items()
                   if name.startswith("HTTP_")}
        with open(self.folder + "/received", "ab") as file:
            file.write(("%s %s?%s\n" % (env["REQUEST_METHOD"], env["PATH_INFO"],
                                        env["QUERY_STRING"])).encode())
            for name, value in headers.items():
                file.write(("%s: %s\n" % (name, value)).encode("latin-1"))
            file.write(b"\n" + body + b"\n")
        with open(self.folder + "/requests", "a", encoding="utf-8") as file:
            file.write(json.dumps({"method": env["REQUEST_METHOD"], "path": env["PATH_INFO"],
                                   "query": env["QUERY_STRING"], "headers": headers,
                                   "bytes": len(body), "fault": fault["do"]}) + "\n")

    def store(self, env, body):
        answer = {}

        def start_response(status, headers, _=None):
            answer["status"], answer["headers"] = status, headers

        env = dict(env, **{"wsgi.input": io.BytesIO(body), "swift.trans_id": "test",
                           "swift.cache": self.cache})
        env.pop("HTTP_EXPECT", None)
        parts = self.application(env, start_response)
        answer["body"] = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        if env["REQUEST_METHOD"] == "PUT" and answer["status"].startswith("200"):
            self.put[env["PATH_INFO"]] = body
        return answer

    @staticmethod
    def reset(env):
        connection = env["eventlet.input"].get_socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError

    @staticmethod
    def wait_for_ever():
        while True:
            eventlet.sleep(60)

    def __call__(self, env, start_response):
        env.setdefault("QUERY_STRING", "")
        fault = self.fault_for(env)
        do = fault["do"]
        length = int(env.get("CONTENT_LENGTH") or 0)
        if do == "half_up":
            env["wsgi.input"].read(length // 2)
            self.note(env, b"", fault)
            self.reset(env)
        body = env["wsgi.input"].read(length) if length else b""
        self.note(env, body, fault)
        if do == "hang":
            self.wait_for_ever()
        if do == "reset":
            self.reset(env)
        if do == "without":
            env = dict(env)
            env.pop("HTTP_" + fault["header"].upper().replace("-", "_"), None)
        if do == "answer":
            content = fault.get("body", "").encode()
            headers = [("Content-Length", str(len(content))), ("Content-Type", "application/xml")]
            headers += list(fault.get("headers", {}).items())
            start_response("%d Fault" % fault["status"], headers)
            return [] if env["REQUEST_METHOD"] == "HEAD" else [content]
        answer = self.store(env, body)
        if do == "lost":
            self.reset(env)
        if do == "other":
            for path, content in self.put.items():
                if fault["other"] in path and path != env["PATH_INFO"]:
                    answer = {"status": "200 OK", "body": content,
                              "headers": [("Content-Length", str(len(content)))]}
                    break
        if do == "more":
            answer["headers"] += list(fault["headers"].items())
        start_response(answer["status"], answer["headers"])
        if do == "half_down":
            return self.half(env, answer["body"])
        if do == "drip":
            return self.drip(answer["body"])
        return [answer["body"]]

    @staticmethod
    def half(env, body):
        yield body[:len(body) // 2]
        env["eventlet.input"].get_socket().shutdown(socket.SHUT_RDWR)

    @staticmethod
    def drip(body):
        for byte in body:
            yield bytes([byte])
            eventlet.sleep(0.2)
        while True:
            eventlet.sleep(0.2)


def main():
    folder = sys.argv[1]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with open(folder + "/credentials", encoding="ascii") as file:
        key_id, secret = file.read().split()[:2]
    port = serve(Faults(start_swift(folder, key_id, secret), folder))
    print(port, flush=True)
    while True:
        eventlet.sleep(3600)


if __name__ == "__main__":
    main()
