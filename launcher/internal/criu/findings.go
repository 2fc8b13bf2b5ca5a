package criu

import (
	"fmt"
	"regexp"
	"strings"
)

// finding is a known error of CRIU: what it looks like in the log, and how it is told to the program's owner.
type finding struct {
	pattern *regexp.Regexp
	explain func(process string, match []string) (reason, message string)
}

// says explains with a fixed sentence. "%s" stands for the process.
func says(pattern, reason, sentence string) finding {
	return finding{regexp.MustCompile(pattern), func(process string, _ []string) (string, string) {
		return reason, strings.ReplaceAll(sentence, "%s", process)
	}}
}

// quotes explains with a sentence into which the process goes, and then the pattern's groups in their order.
func quotes(pattern, reason, sentence string) finding {
	return finding{regexp.MustCompile(pattern), func(process string, match []string) (string, string) {
		values := []any{process}
		for _, group := range match[1:] {
			values = append(values, group)
		}
		return reason, fmt.Sprintf(sentence, values...)
	}}
}

var findings = append(append(dumpFindings, restoreFindings...), commonFindings...)

var dumpFindings = []finding{
	says(`send_fds failed \(-22\)`, "IoUring", "%s uses io_uring, which cannot be checkpointed"),
	{regexp.MustCompile(`Can't dump file \d+ of that type \[\d+\] \(\w+ (.*)\)`), openFile},
	says(`Can't open mapped \[/\[aio\]`, "AsyncIO",
		"%s uses asynchronous I/O of the kernel (libaio), which cannot be checkpointed"),
	says(`Can't open mapped \[/secretmem`, "SecretMemory", "%s uses secret memory, which cannot be checkpointed"),
	quotes(`Can't open mapped \[(.*) \(deleted\)\]`, "RemovedFileMapped",
		"%s maps the file %s, which has been removed or replaced since"),
	says(`Deleted file is mapped shared and private`, "RemovedFileMapped",
		"%s maps a removed file both shared and private"),
	says(`Can't handle non-regular mapping`, "DeviceMemory",
		"%s maps the memory of a device, which cannot be checkpointed"),
	says(`fsnotify: .*Can't dump that handle`, "FileWatch",
		"%s watches files for changes (inotify or fanotify), which cannot be checkpointed"),
	says(`nested user namespace|Unable to convert uid or gid|belong to the target user namespace`, "UserNamespace",
		"the program made a user namespace of its own, as sandboxes do, which cannot be checkpointed"),
	says(`suspending seccomp failed`, "SeccompFilter",
		"the program runs under a seccomp filter, which cannot be checkpointed; "+
			"the pod's seccompProfile must be Unconfined, and the program must not make a filter of its own"),
	quotes(`Unseizable non-zombie (\d+) found, state t`, "Traced",
		"process %[2]s is traced by a debugger, which keeps it from being checkpointed"),
	says(`In-flight connection`, "ConnectionNotAccepted",
		"%s has a connection that it has not accepted yet; this passes"),
	says(`Unsupported proto 262`, "MultipathTCP",
		"%s uses multipath TCP, which cannot be checkpointed; for a program in Go, set GODEBUG=multipathtcp=0"),
	quotes(`Unsupported proto (\d+)`, "UnsupportedSocket",
		"%s uses a socket of the internet protocol number %s, which cannot be checkpointed"),
	quotes(`Unknown socket collected \(family (\d+)\)`, "UnsupportedSocket",
		"%s uses a socket of the address family number %s, which cannot be checkpointed"),
	says(`Can't dump corked dgram socket`, "SocketBusy", "%s is about to send a UDP packet; this passes"),
	says(`netlink: The socket has data to read`, "SocketBusy", "%s has not read what the kernel told it; this passes"),
	says(`External socket is used|half of stream unix connection`, "ExternalSocket",
		"%s is connected to a unix socket outside of the program's own processes"),
	says(`SysVIPC shmem map`, "SystemVIPC", "%s uses System V shared memory, which cannot be checkpointed"),
	quotes(`Can't lookup mount=\S+ for fd=\S+ path=(.*)`, "FileUnreachable",
		"%s has %s open, which is not on a mount of the container (a message queue?)"),
	quotes(`ctty inheritance detected sid/pgrp (\d+)`, "Terminal", "process %[2]s runs in a terminal that another process of the program made, "+
		"as script and tmux do, which cannot be checkpointed"),
	quotes(`Can't read shared memory of (\d+)`, "MemoryUnreadable",
		"process %[2]s shares memory that cannot be read, such as guard pages"),
	quotes(`Can't dump ghost file (.*) of (\d+) size`, "RemovedFileTooLarge",
		"%s has the removed file %s of %s bytes open, which is too much"),
	says(`Timeout reached`, "NotFrozen", "the program did not stop in time; a process may hang in the kernel"),
}

var restoreFindings = []finding{
	quotes(`File /?(.*) has bad size (\d+) \(expect (\d+)\)`, "FileChanged",
		"the file /%[2]s, which the program has open, has %[3]s bytes; it had %[4]s at the checkpoint"),
	quotes(`File /?(.*) has bad mode (\d+) \(expect (\d+)\)`, "FileChanged",
		"the file /%[2]s, which the program has open, has the mode %[3]s; it had %[4]s at the checkpoint"),
	quotes(`Can't open file /?(.*) on restore: No such file`, "FileMissing",
		"the file /%[2]s, which the program has open, is not there"),
	quotes(`Can't open file /?(.*): No such file`, "FileMissing",
		"the file /%[2]s, which the program has open, is not there"),
	quotes(`Can't fork for (\d+): File exists`, "PIDTaken",
		"another process of the container has the number %[2]s, which the program needs"),
	says(`Can't bind inet socket`, "AddressMissing",
		"an address that the program's sockets are bound to does not exist in the new pod"),
	says(`Can't connect inet socket back`, "ConnectionNotRestored",
		"a TCP connection of the program could not be restored"),
	says(`Can't restore .*queue data`, "SocketBuffer",
		"a TCP connection of the program held more than a socket may hold on this node; "+
			"its net.core.wmem_max must be at least half of the last number of its net.ipv4.tcp_wmem"),
	says(`CPU .*do not match|CPU .*mismatch|FPU feature required by image|CPU xfeatures`, "IncompatibleCPU",
		"the processor of this node lacks features that the program has found on the node where it was cut"),
}

var commonFindings = []finding{
	says(`No space left on device`, "NoSpace", "there is no space left for the checkpoint on the node"),
	says(`Cannot allocate memory`, "NoMemory", "there is not enough memory to handle the checkpoint"),
	says(`Operation not permitted`, "NotPermitted",
		"the launcher lacks a permission; its container needs the capabilities of docs/capabilities.md, unconfined by seccomp"),
}

// openFile explains an open file of a kind that CRIU does not know.
func openFile(process string, match []string) (reason, message string) {
	kinds := []struct{ name, reason, what string }{
		{"anon_inode:[io_uring]", "IoUring", "io_uring"},
		{"anon_inode:[userfaultfd]", "Userfaultfd", "userfaultfd"},
		{"anon_inode:[perf_event]", "PerfEvents", "performance counters (perf_event_open)"},
		{"anon_inode:bpf", "BPF", "BPF objects"},
		{"/dev/nvidia", "GPU", "a GPU, whose state CRIU alone cannot save"},
		{"/dev/kfd", "GPU", "a GPU, whose state CRIU alone cannot save"},
		{"/dev/infiniband", "RDMA", "RDMA"},
	}
	for _, kind := range kinds {
		if strings.Contains(match[1], kind.name) {
			if kind.reason == "GPU" {
				return kind.reason, fmt.Sprintf("%s uses %s", process, kind.what)
			}
			return kind.reason, fmt.Sprintf("%s uses %s, which cannot be checkpointed", process, kind.what)
		}
	}
	return "UnsupportedFile", fmt.Sprintf("%s has %s open, which cannot be checkpointed", process, match[1])
}
