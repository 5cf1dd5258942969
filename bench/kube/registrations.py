"""Engines for simulated Pods: for each Pod of the namespace that would run `covey engine`, a real engine on this machine, started with the
Pod's own arguments, environment and Secrets, and ended when the Pod goes. So the controller knows them all, and draining is real."""
import base64
import os
import pathlib
import re
import subprocess
import tempfile

from kube import get

COVEY = pathlib.Path(__file__).resolve().parents[2] / "build/release/covey"


class Registrations:
    def __init__(self, namespace):
        self.namespace = namespace
        self.engines, self.leaving = {}, []
        self.folders = {}
        self.state = tempfile.TemporaryDirectory()

    def started(self, pod):
        """Called for each Pod that the namespace has, as often as anybody likes."""
        uid = pod["metadata"]["uid"]
        if uid in self.engines:
            return
        container = pod["spec"]["containers"][0]
        command = [*container.get("command", []), *container.get("args", [])]
        if "engine" not in command:
            return
        environment = self.environment(pod, container)
        arguments = [self.localised(each, pod, container, environment) for each in command[command.index("engine"):]]
        self.engines[uid] = subprocess.Popen([COVEY, *arguments], env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def gone(self, uid):
        """As a Pod ends: the engine takes its leave."""
        engine = self.engines.pop(uid, None)
        if engine is not None:
            engine.terminate()
            self.leaving.append(engine)

    def close(self):
        for uid in list(self.engines):
            self.gone(uid)
        for engine in self.leaving:
            try:
                engine.wait(timeout=30)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()
        self.state.cleanup()

    def environment(self, pod, container):
        values = {}
        for each in container.get("env", []):
            source = each.get("valueFrom", {})
            if "fieldRef" in source:
                values[each["name"]] = pod["metadata"]["name"] if source["fieldRef"]["fieldPath"] == "metadata.name" else self.namespace
            elif "secretKeyRef" in source:
                values[each["name"]] = self.secret(source["secretKeyRef"]["name"])[source["secretKeyRef"]["key"]]
            else:
                values[each["name"]] = each.get("value", "")
        return {name: self.localised(value, pod, container, values) for name, value in values.items()}

    def localised(self, text, pod, container, environment):
        """An argument with its $(VARIABLES) filled in, and a mounted file's place on this machine."""
        text = re.sub(r"\$\((\w+)\)", lambda match: environment.get(match[1], match[0]), text)
        for mount in container.get("volumeMounts", []):
            volume = next(each for each in pod["spec"]["volumes"] if each["name"] == mount["name"])
            if "secret" in volume and mount["mountPath"] in text:
                text = text.replace(mount["mountPath"], self.folder_of(volume["secret"]["secretName"]))
        return self.by_address(text)

    def folder_of(self, secret):
        if secret not in self.folders:
            folder = pathlib.Path(self.state.name) / secret
            folder.mkdir()
            for name, text in self.secret(secret).items():
                (folder / name).write_text(self.by_address(text))
            self.folders[secret] = str(folder)
        return self.folders[secret]

    def secret(self, name):
        return {key: base64.b64decode(value).decode() for key, value in get("secret", name, namespace=self.namespace)["data"].items()}

    def by_address(self, text):
        """The cluster's names mean nothing to this machine: nats://demo-nats:4222 becomes an address."""
        def address(match):
            return match[1] + get("service", match[2].split(".")[0], namespace=self.namespace)["spec"]["clusterIP"]
        return re.sub(r"((?:nats|tls)://)([a-z][a-z0-9.-]*)", address, text)
