package criu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The logs in testdata are of programs that used each of these, shortened to the lines that matter.
func TestEachKnownLimitIsExplained(t *testing.T) {
	for log, want := range map[string]struct{ reason, message string }{
		"io_uring":            {"IoUring", "process 303 (python3) uses io_uring, which cannot be checkpointed"},
		"userfaultfd":         {"Userfaultfd", "process 304 (python3) uses userfaultfd, which cannot be checkpointed"},
		"perf":                {"PerfEvents", "process 303 (python3) uses performance counters (perf_event_open), which cannot be checkpointed"},
		"memfd_secret":        {"SecretMemory", "process 303 (python3) uses secret memory, which cannot be checkpointed"},
		"aio":                 {"AsyncIO", "process 303 (python3) uses asynchronous I/O of the kernel (libaio), which cannot be checkpointed"},
		"inotify":             {"FileWatch", "process 304 (python3) watches files for changes (inotify or fanotify), which cannot be checkpointed"},
		"userns":              {"UserNamespace", "the program made a user namespace of its own, as sandboxes do, which cannot be checkpointed"},
		"child_userns":        {"UserNamespace", "the program made a user namespace of its own, as sandboxes do, which cannot be checkpointed"},
		"traced_child":        {"Traced", "process 308 is traced by a debugger, which keeps it from being checkpointed"},
		"tcp_inflight_accept": {"ConnectionNotAccepted", "process 304 (python3) has a connection that it has not accepted yet; this passes"},
		"udp_cork":            {"SocketBusy", "process 304 (python3) is about to send a UDP packet; this passes"},
		"netlink_data":        {"SocketBusy", "process 304 (python3) has not read what the kernel told it; this passes"},
		"mptcp":               {"MultipathTCP", "process 304 (python3) uses multipath TCP, which cannot be checkpointed; for a program in Go, set GODEBUG=multipathtcp=0"},
		"vsock":               {"UnsupportedSocket", "process 304 (python3) uses a socket of the address family number 40, which cannot be checkpointed"},
		"sysv_shm":            {"SystemVIPC", "process 304 (python3) uses System V shared memory, which cannot be checkpointed"},
		"posix_mq":            {"FileUnreachable", "process 303 (python3) has /q open, which is not on a mount of the container (a message queue?)"},
		"pty_shell":           {"Terminal", "process 309 runs in a terminal that another process of the program made, as script and tmux do, which cannot be checkpointed"},
		"long_queue":          {"SocketBuffer", "a TCP connection of the program held more than a socket may hold on this node"},
		"guard":               {"MemoryUnreadable", "process 303 shares memory that cannot be read, such as guard pages"},
	} {
		t.Run(log, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", log+".log"))
			if err != nil {
				t.Fatal(err)
			}
			failure := Classify(string(text))
			if failure.Reason != want.reason || !strings.HasPrefix(failure.Message, want.message) {
				t.Errorf("got %s: %q", failure.Reason, failure.Message)
			}
		})
	}
}

func TestEveryLogIsExplained(t *testing.T) {
	logs, err := filepath.Glob("testdata/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatal("no logs", err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if failure := Classify(string(text)); failure.Reason == "CheckpointerFailed" {
			t.Errorf("%s: %s", log, failure.Message)
		}
	}
}

func TestSingleErrors(t *testing.T) {
	for _, one := range []struct{ line, reason, message string }{
		{"(00.1)    304: Error (criu/files-reg.c:2175): File tmp/log has bad size 414 (expect 0)",
			"FileChanged", "the file /tmp/log, which the program has open, has 414 bytes; it had 0 at the checkpoint"},
		{"(00.1)    304: Error (criu/files-reg.c:2353): Can't open file data/x on restore: No such file or directory",
			"FileMissing", "the file /data/x, which the program has open, is not there"},
		{"(00.1)    304: Error (criu/cr-restore.c:1237): Can't fork for 305: File exists",
			"PIDTaken", "another process of the container has the number 305, which the program needs"},
		{"(00.1)    304: Error (criu/sk-inet.c:1012): inet: Can't bind inet socket (id 14): Cannot assign requested address",
			"AddressMissing", "an address that the program's sockets are bound to does not exist in the new pod"},
		{"(00.1) Error (criu/files-ext.c:94): Can't dump file 3 of that type [20666] (chr 195:255 /dev/nvidiactl)",
			"GPU", "the program uses a GPU, whose state CRIU alone cannot save"},
		{"(00.1) Error (criu/x.c:1): write: No space left on device",
			"NoSpace", "there is no space left for the checkpoint on the node"},
		{"(00.1)    304: Error (criu/x.c:1): something new",
			"CheckpointerFailed", "CRIU could not handle process 304: something new"},
		{"nothing at all", "CheckpointerFailed", "CRIU ended without giving a reason; its log is with the image"},
	} {
		if failure := Classify(one.line); failure.Reason != one.reason || failure.Message != one.message {
			t.Errorf("%s\ngot %s: %q", one.line, failure.Reason, failure.Message)
		}
	}
}
