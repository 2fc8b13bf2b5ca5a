package proctree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestSetsOfSignals(t *testing.T) {
	const status = "Name:\tsleep SigCgt:\t1\nSigBlk:\t0000000000000200\nSigCgt:\t8000000000000001\n"
	for field, want := range map[string]uint64{"SigBlk": 1 << 9, "SigCgt": 1<<63 | 1} {
		if set, err := signalSet(status, field); err != nil || set != want {
			t.Errorf("%s: %x %v", field, set, err)
		}
	}
	if _, err := signalSet(status, "SigIgn"); err == nil {
		t.Error("a field that is not there was read")
	}
}

func TestSignalsBlockedByLibcWhileItForksAreNotTheProgramsWish(t *testing.T) {
	const glibc, musl = 0xfffffffe7ffbfeff, 0xfffffffc7ffbfeff &^ (1 << 33)
	for set, want := range map[uint64]bool{glibc: true, musl: true, 1<<9 | 1<<14: false, 0: false} {
		if isForking(set) != want {
			t.Errorf("%x: %t", set, !want)
		}
	}
}

func TestOnlyTheFirstThatHandleASignalAreFound(t *testing.T) {
	// The outer shell handles SIGUSR1, and so do the shells below it; none of them handles SIGUSR2 but the inner ones.
	script := `trap : USR1; for i in 1 2; do sh -c 'trap : USR1 USR2; echo; while :; do sleep 1; done' & done; wait; wait`
	outer := exec.Command("sh", "-c", script)
	outer.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := outer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := outer.Start(); err != nil {
		t.Fatal(err)
	}
	defer outer.Wait()
	defer syscall.Kill(-outer.Process.Pid, syscall.SIGKILL)
	if _, err := io.ReadFull(output, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	root := outer.Process.Pid
	if found, err := Handling(root, syscall.SIGUSR1); err != nil || len(found) != 1 || found[0] != root {
		t.Errorf("%v %v", found, err)
	}
	if found, err := Handling(root, syscall.SIGUSR2); err != nil || len(found) != 2 || slices.Contains(found, root) {
		t.Errorf("%v %v", found, err)
	}
	if found, err := Handling(root, syscall.SIGHUP); err != nil || len(found) != 0 {
		t.Errorf("%v %v", found, err)
	}
}

func TestThisProcessHandlesWhatItAskedFor(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	if handles, err := Handles(os.Getpid(), syscall.SIGUSR1); err != nil || !handles {
		t.Errorf("%t %v", handles, err)
	}
	if handles, err := Handles(os.Getpid(), syscall.SIGKILL); err != nil || handles {
		t.Errorf("%t %v", handles, err)
	}
}

// nobody is a user without any privilege.
const nobody = 65534

func TestAProcessThatHasEndedHandlesNothingAlsoWhenItsFilesHaveBecomeRoots(t *testing.T) {
	ended := exec.Command("true")
	if os.Geteuid() == 0 {
		ended.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		// The thread that took another user's eyes ends with this goroutine.
		runtime.LockOSThread()
		if _, _, failed := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); failed != 0 {
			t.Fatal(failed)
		}
	}
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	defer ended.Wait()
	awaitZombie(t, ended.Process.Pid)
	if _, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", ended.Process.Pid)); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("what the process does may be read: %v", err)
	}
	if handles, err := Handles(ended.Process.Pid, syscall.SIGUSR1); err != nil || handles {
		t.Errorf("%t %v", handles, err)
	}
}

// awaitZombie waits until a process has ended, and leaves it to be reaped.
func awaitZombie(t *testing.T, pid int) {
	for {
		process, err := read(pid)
		if err != nil {
			t.Fatal(err)
		}
		if process.Zombie() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
