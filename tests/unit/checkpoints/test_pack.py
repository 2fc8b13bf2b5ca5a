"""What a pack says of itself is believed as far as it can be true."""

import numpy as np
import pytest

from ergosphere.checkpoints import Corrupt
from ergosphere.checkpoints.codec import Codec
from ergosphere.checkpoints.compression import Form
from ergosphere.checkpoints.pack import Footer, decode_footer, footer_bytes
from ergosphere.checkpoints.pages import PAGE
from ergosphere.checkpoints.recipe import PackRef

_PAGES = 100  # two blocks
_RAW = [64 * PAGE, 36 * PAGE]


def decoded(lengths: list[int], forms: list[Form]) -> Footer:
    """The footer of a pack whose blocks take so much, as a reader gets it."""
    footer = Footer(
        prints=np.ones((_PAGES, 2), dtype=np.uint64),
        lengths=np.array(lengths, dtype=np.uint32),
        forms=np.array(forms, dtype=np.uint32),
        hashes=["0" * 64] * len(lengths),
    )
    end, length, hashed = footer_bytes(footer, Codec())
    size = sum(lengths) + len(end)
    pack = PackRef(name=f"{'0' * 32}-0", pages=_PAGES, size=size, footer=length, digest=hashed)
    return decode_footer(pack, end[:length], Codec())


@pytest.mark.parametrize("form", Form)
def test_a_footer_comes_back(form: Form) -> None:
    footer = decoded(_RAW, [form, Form.RAW])
    assert footer.lengths.tolist() == _RAW
    assert footer.forms.tolist() == [form, Form.RAW]


def test_a_block_that_claims_more_than_it_can_take_is_not_asked_for() -> None:
    with pytest.raises(Corrupt, match="more than it can"):
        decoded([300 << 20, 1], [Form.RAW, Form.RAW])
