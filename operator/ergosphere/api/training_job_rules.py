"""What the API server refuses in a TrainingJob beyond what its schema can say, in CEL."""

from ergosphere.api.cel import immutable, rule, rules
from ergosphere.api.meta import GPU_RESOURCE

_KIND = "TrainingJob"
_CONTAINERS = "self.template.spec.containers"


def _asks(container: str) -> str:
    limits = f"{container}.resources.limits"
    return (
        f"(has({container}.resources) && has({limits}) && '{GPU_RESOURCE}' in {limits}"
        f" && string({limits}['{GPU_RESOURCE}']) != '0')"
    )


# The main container, as TrainingJobSpec.main_container finds it.
_IS_MAIN = f"""(has(self.container) ? c.name == self.container :
    {_CONTAINERS}.exists(g, {_asks("g")}) ? {_asks("c")} : c.name == {_CONTAINERS}[0].name)"""


def _main(condition: str) -> str:
    return f"{_CONTAINERS}.all(c, !{_IS_MAIN} || ({condition}))"


_MAIN = "the main container (spec.container)"
_ROOTED = "would run with the rights of Ergosphere's launcher"

SPEC_RULES = rules(
    rule(
        f"!has(self.container) || {_CONTAINERS}.exists(c, c.name == self.container)",
        "must be the name of a container of the template",
        field=".container",
    ),
    rule(
        f"has(self.container) || {_CONTAINERS}.filter(c, {_asks('c')}).size() <= 1",
        f"must name the main container, the one to checkpoint, when more than one asks for {GPU_RESOURCE}",
        field=".container",
        reason="FieldValueRequired",
    ),
    rule(
        _main("has(c.command) && c.command.size() > 0"),
        f"{_MAIN} must have a command: Ergosphere starts it under its launcher and cannot see the image's",
        field=".template.spec.containers",
        reason="FieldValueRequired",
    ),
    rule(
        _main(
            "!has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged"
        ),
        f"{_MAIN} must not be privileged: a program with rights on its node cannot be moved to another",
        field=".template.spec.containers",
        reason="FieldValueForbidden",
    ),
    rule(
        _main(
            "!has(c.securityContext) || !has(c.securityContext.capabilities)"
            " || !has(c.securityContext.capabilities.add) || c.securityContext.capabilities.add.size() == 0"
        ),
        f"{_MAIN} must not add capabilities: Ergosphere runs the program without any",
        field=".template.spec.containers",
        reason="FieldValueForbidden",
    ),
    rule(
        _main("!has(c.livenessProbe) && !has(c.startupProbe)"),
        f"{_MAIN} must not have a livenessProbe or startupProbe: a program being saved cannot answer it",
        field=".template.spec.containers",
        reason="FieldValueForbidden",
    ),
    rule(
        _main("!has(c.readinessProbe) || !has(c.readinessProbe.exec)"),
        f"{_MAIN} must not have a readinessProbe with exec: it {_ROOTED}; use httpGet, tcpSocket or grpc",
        field=".template.spec.containers",
        reason="FieldValueForbidden",
    ),
    rule(
        _main("!has(c.lifecycle)"),
        f"{_MAIN} must not have a lifecycle hook: it {_ROOTED}",
        field=".template.spec.containers",
        reason="FieldValueForbidden",
    ),
    rule(
        "!has(self.elasticity) || self.checkpoint.mode == 'Cooperative'",
        "needs checkpoint.mode Cooperative: a saved process cannot change the number of its peers",
        field=".elasticity",
        reason="FieldValueForbidden",
    ),
    rule(
        "!has(self.elasticity) || (self.elasticity.minWorkers <= self.workers"
        " && self.workers <= self.elasticity.maxWorkers)",
        "must be from elasticity.minWorkers to elasticity.maxWorkers",
        field=".workers",
    ),
    rule(
        "self.checkpoint.mode == 'Cooperative' || self.workers == oldSelf.workers",
        "is immutable with checkpoint.mode Transparent: create a new TrainingJob instead",
        field=".workers",
    ),
    immutable("template", _KIND),
    immutable("container", _KIND, optional=True),
    immutable("restoreFrom", _KIND, optional=True),
)
