"""The images that kubeadm wants."""

from cluster.kind.offline.kubernetes_images import by_program, linked

LISTED = """\
registry.example/kube-apiserver:v1.37.2
registry.example/coredns/coredns:v1.14.6
registry.example/etcd:3.7.0-0
"""
LDD = """\
\tlinux-vdso.so.1 (0x00007ffd0bdfe000)
\tlibnftables.so.1 => /lib/x86_64-linux-gnu/libnftables.so.1 (0x00007f3c1a200000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f3c1a01f000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f3c1a33a000)
"""


def test_each_program_is_found_under_the_name_that_kubeadm_has_for_it() -> None:
    assert by_program(LISTED) == {
        "kube-apiserver": "registry.example/kube-apiserver:v1.37.2",
        "coredns": "registry.example/coredns/coredns:v1.14.6",
        "etcd": "registry.example/etcd:3.7.0-0",
    }


def test_a_programs_libraries_and_its_loader_are_files_and_the_kernels_page_is_none() -> None:
    directory = "/lib/x86_64-linux-gnu"
    assert linked(LDD) == [
        f"{directory}/libc.so.6",
        f"{directory}/libnftables.so.1",
        "/lib64/ld-linux-x86-64.so.2",
    ]
