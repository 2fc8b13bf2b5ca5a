"""What an image says of the pod it was made in."""

from pydantic import BaseModel, ConfigDict, Field

from ergosphere.agent.node import NodePlatform


class Origin(BaseModel):
    """Stored beside every image: what a restore needs of the node, and addresses it needs in the pod."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: NodePlatform
    addresses: tuple[str, ...] = Field((), max_length=65536)
