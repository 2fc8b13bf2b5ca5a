"""The Kubernetes API as plain JSON, over the official asyncio client.

The client's typed models cost more to build than a cycle of the operator may take, so only its
configuration, authentication and transport are used.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from kubernetes.aio import client, config

Object = dict[str, Any]

FIELD_MANAGER = "ergosphere-operator"
_TIMEOUT_SECONDS = 30
_WATCH_SECONDS = 300
_PAGE = 500
# Objects of 1.5 MiB are kept in few bytes; in JSON, "<" and its like take six.
_LONGEST_LINE = 64 << 20


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object: where the API serves it and whether it lives in a namespace."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object or of its subresource."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return "/".join(part for part in (f"{root}{scope}/{self.plural}", name, subresource) if part)


class ApiError(Exception):
    """The API server refused a request: the HTTP status, Kubernetes' own word for it, and a sentence."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Kube:
    """One connection to one API server."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @classmethod
    async def connect(cls) -> Self:
        """Use the pod's service account, or else the kubeconfig as kubectl finds it."""
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except config.ConfigException:
            await config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        configuration.connection_pool_maxsize = 0
        return cls(client.ApiClient(configuration))

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None when it does not exist."""
        try:
            return await self._call("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, resource: Resource, kept: Callable[[Object], Object] = lambda obj: obj) -> Object:
        """The collection over all namespaces as it was at one moment; of each object, what `kept` leaves.

        It is read in pages. Raises 410 when the API server has forgotten that moment before the last one.
        """
        items = []
        query = {"limit": str(_PAGE)}
        while True:
            page = await self._call("GET", resource.path(), query)
            items += [kept(_whole(item, page)) for item in page.get("items") or ()]
            rest = page["metadata"].get("continue")
            if not rest:
                return page | {"items": items}
            query = query | {"continue": rest}

    async def watch(self, resource: Resource, version: str) -> AsyncIterator[Object]:
        """Events after `version`, bookmarks among them, until the server ends the watch."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        response = await self._send("GET", resource.path(), query, seconds=_WATCH_SECONDS + 30)
        stream = response.response
        try:
            if response.status != 200:
                raise _error(response.status, await stream.read())
            while line := await stream.content.readuntil(b"\n", max_size=_LONGEST_LINE):
                yield json.loads(line)
        finally:
            stream.close()

    async def create(self, resource: Resource, body: Object) -> Object | None:
        """The created object, or None when one of that name exists: creation may be repeated."""
        path = resource.path(body["metadata"].get("namespace", ""))
        try:
            return await self._call("POST", path, {"fieldManager": FIELD_MANAGER}, body)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return None
            raise

    async def apply(self, resource: Resource, body: Object, subresource: str = "") -> Object:
        """Server-side apply. With `metadata.resourceVersion` in the body, a stale write fails with 409."""
        metadata = body["metadata"]
        path = resource.path(metadata.get("namespace", ""), metadata["name"], subresource)
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self._call("PATCH", path, query, body, "application/apply-patch+yaml")

    async def merge(self, resource: Resource, namespace: str, name: str, body: Object) -> Object | None:
        """JSON merge patch; None when the object is gone."""
        path = resource.path(namespace, name)
        try:
            return await self._call("PATCH", path, {}, body, "application/merge-patch+json")
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def replace(self, resource: Resource, body: Object) -> Object:
        """Replace the object; 409 when it has changed since `metadata.resourceVersion`."""
        metadata = body["metadata"]
        return await self._call("PUT", resource.path(metadata["namespace"], metadata["name"]), {}, body)

    async def delete(self, resource: Resource, namespace: str, name: str, options: Mapping[str, Any]) -> None:
        """Delete with `DeleteOptions`; an object that is gone, or another of the same name, is success."""
        try:
            await self._call("DELETE", resource.path(namespace, name), {}, dict(options))
        except ApiError as error:
            if error.status != 404 and not (error.status == 409 and "preconditions" in options):
                raise

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> Object:
        response = await self._send(method, path, query or {}, body, content_type)
        raw = await response.read()
        if not 200 <= response.status <= 299:
            raise _error(response.status, raw)
        answer: Object = json.loads(raw)
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Object | None = None,
        content_type: str = "application/json",
        seconds: float = _TIMEOUT_SECONDS,
    ) -> Any:
        request = await self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        return await self._api.call_api(*request, _request_timeout=seconds)


def _whole(item: Object, page: Object) -> Object:
    """The object as a watch gives it: in a list, those of built-in kinds do not say what they are."""
    return {"apiVersion": page["apiVersion"], "kind": page["kind"].removesuffix("List")} | item


def _error(status: int, raw: bytes) -> ApiError:
    try:
        answer = json.loads(raw)
        return ApiError(status, answer.get("reason", ""), answer.get("message", ""))
    except (ValueError, AttributeError):
        return ApiError(status, "", raw[:200].decode(errors="replace"))
