"""Kubeconfig files, read as kubectl reads them."""

from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigLoader, KubeConfigMerger

from ergosphere.cli.failure import Unreachable

_HINT = "see --kubeconfig and --context"


def configured(files: str | None, context: str | None, settings: Configuration) -> Mapping[str, Any]:
    """Fill in `settings` for a context, by default the current one, and return it.

    `files` as in $KUBECONFIG. Raises Unreachable with one line where they name no cluster.
    """
    files = files or KUBE_CONFIG_DEFAULT_LOCATION
    try:
        return _loaded(files, context, settings)
    except (ConfigException, OSError, ValueError) as error:
        raise Unreachable(f"no cluster to talk to: {error}; {_HINT}") from error
    except yaml.YAMLError as error:
        # It tells the place over several lines.
        raise Unreachable(f"{files} is not YAML: {' '.join(str(error).split())}; {_HINT}") from error
    except (AttributeError, KeyError, TypeError) as error:
        # The loader looks into whatever the YAML holds without asking what it is.
        raise Unreachable(f"{files} does not have the form of a kubeconfig; {_HINT}") from error


def _loaded(files: str, context: str | None, settings: Configuration) -> Mapping[str, Any]:
    # kubernetes.config.list_kube_config_contexts wants a current context even where another one is named.
    merged = KubeConfigMerger(files)  # type: ignore[no-untyped-call]
    if merged.config is None:
        raise ConfigException(f"there is no kubeconfig {files}")
    loader = KubeConfigLoader(merged.config, context or None, config_persister=merged.save_changes)  # type: ignore[no-untyped-call]
    loader.load_and_set(settings)  # type: ignore[no-untyped-call]
    chosen: Mapping[str, Any] = loader.current_context
    return chosen
