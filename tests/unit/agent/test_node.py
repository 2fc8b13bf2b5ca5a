import pytest

from ergosphere.agent.node import NodePlatform, incompatibility, user_features

HERE = NodePlatform(architecture="x86_64", kernel="6.18.4-generic", cpu_flags=frozenset({"avx2", "sse2"}))


def changed(**facts: object) -> NodePlatform:
    return NodePlatform(**{**HERE.model_dump(), **facts})


@pytest.mark.parametrize(
    "there",
    [HERE, changed(cpu_flags=frozenset({"sse2"})), changed(kernel="6.12.1"), changed(kernel="6.18.99")],
)
def test_the_same_or_less_can_be_restored(there):
    assert incompatibility(there, HERE) is None


@pytest.mark.parametrize(
    ("there", "word"),
    [
        (changed(architecture="aarch64"), "aarch64"),
        (changed(cpu_flags=frozenset({"avx2", "avx512f"})), "avx512f"),
        (changed(kernel="6.19.0"), "older 6.18.4"),
        (changed(kernel="10.0.1"), "older 6.18.4"),
    ],
)
def test_anything_else_is_refused_by_name(there, word):
    failure = incompatibility(there, HERE)
    assert failure.reason == "IncompatibleNode"
    assert word in failure.message


def test_only_what_a_program_can_have_chosen_its_code_by_counts():
    text = "processor : 0\nflags\t\t: fpu sse2 avx2 ibpb pti hypervisor\n"
    assert user_features(text) == {"fpu", "sse2", "avx2"}


def test_a_feature_counts_only_if_every_processor_has_it():
    assert user_features("flags : sse2 avx2\nflags : sse2\n") == {"sse2"}
    assert user_features("Features : fp asimd\nFeatures : fp asimd sve\n") == {"fp", "asimd"}


def test_the_reported_digest_does_not_depend_on_the_order_of_features():
    other = changed(cpu_flags=frozenset(["sse2", "avx2"]))
    assert other.reported == HERE.reported
    assert changed(cpu_flags=frozenset({"sse2"})).reported.cpu_flags != HERE.reported.cpu_flags
