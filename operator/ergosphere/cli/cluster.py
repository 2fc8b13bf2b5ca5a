"""The cluster of the current kubeconfig, synchronously and as plain JSON."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

import urllib3
from kubernetes import client

from ergosphere.cli.answer import body_of, broken, cause, object_in, refusal
from ergosphere.cli.failure import NotFound, Unreachable
from ergosphere.cli.kubeconfig import configured
from ergosphere.controller.kube import Object, Resource

NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_WATCH_SECONDS = 300
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One API server; `namespace` is what a name without one is looked up in."""

    api: client.ApiClient
    namespace: str
    context: str

    @classmethod
    def connect(cls, kubeconfig: str | None, context: str | None, namespace: str | None) -> Self:
        """Read the kubeconfig as kubectl does. Raises Unreachable where it names no cluster."""
        settings = client.Configuration()
        # A wrong address is to be told at once, not after three tries.
        settings.retries = 0
        chosen = configured(kubeconfig, context, settings)
        own = chosen["context"].get("namespace")
        return cls(client.ApiClient(settings), namespace or own or "default", chosen["name"])

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self.api.configuration.host)

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """One object. Raises NotFound."""
        where = (self.namespace if namespace is None else namespace) if resource.namespaced else ""
        return self.call("GET", resource.path(where, name))

    def find(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None where there is none of that name."""
        try:
            return self.get(resource, name, namespace)
        except NotFound:
            return None

    def list(self, resource: Resource, namespace: str = "", **query: str) -> list[Object]:
        """The objects of a namespace, or of all; `query` are selectors, such as labelSelector."""
        items: list[Object] = self.call("GET", resource.path(namespace), query)["items"]
        return items

    def create(self, resource: Resource, body: Object) -> Object:
        """Create an object in the namespace."""
        return self.call("POST", resource.path(self.namespace), {}, body)

    def merge(self, resource: Resource, name: str, body: Object) -> Object:
        """Change some fields of an object. Raises NotFound."""
        return self.call("PATCH", resource.path(self.namespace, name), {}, body, _MERGE)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object. Raises NotFound."""
        self.call("DELETE", resource.path(self.namespace, name))

    def follow(self, resource: Resource, name: str, seconds: float) -> Iterator[Object | None]:
        """An object as it is, and after each change; None once it is gone. Ends after so many seconds."""
        found = self.find(resource, name)
        yield found
        if found is None:
            return
        query = {"fieldSelector": f"metadata.name={name}", "watch": "true"}
        query["timeoutSeconds"] = str(max(1, min(round(seconds), _WATCH_SECONDS)))
        query["resourceVersion"] = found["metadata"]["resourceVersion"]
        for line in self.stream(resource.path(self.namespace), query, seconds + _READ_SECONDS):
            event = object_in(line, self.server)
            if event["type"] == "ERROR":
                return
            yield None if event["type"] == "DELETED" else event["object"]

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """One request. Raises Failure with the server's own words, Unreachable where they are no object."""
        with closing(self._send(method, path, query or {}, body, content_type, _READ_SECONDS)) as response:
            return object_in(body_of(response, self.server), self.server)

    def stream(self, path: str, query: Mapping[str, str], seconds: float | None) -> Iterator[bytes]:
        """The lines of an answer as they come. Raises Unreachable when nothing comes for so many seconds."""
        with closing(self._send("GET", path, query, None, "application/json", seconds)) as response:
            rest = b""
            try:
                for piece in response.stream(amt=None):
                    *lines, rest = (rest + piece).split(b"\n")
                    yield from lines
            except urllib3.exceptions.HTTPError as error:
                raise broken(error, self.server) from error
            if rest:
                yield rest

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Object | None,
        content_type: str,
        seconds: float | None,
    ) -> Any:
        request = self.api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json, */*", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self.api.call_api(*request, _request_timeout=(_CONNECT_SECONDS, seconds)).response
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as error:
            raise Unreachable(f"{self.server} cannot be reached: {cause(error)}") from error
        if not 200 <= response.status <= 299:
            with closing(response):
                raise refusal(response.status, body_of(response, self.server))
        return response
