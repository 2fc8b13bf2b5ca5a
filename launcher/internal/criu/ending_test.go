package criu

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"ergosphere.dev/launcher/internal/sys"
)

// must fails the test at the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// connection returns both ends of a TCP connection.
func connection(t *testing.T) (one, other *os.File) {
	t.Helper()
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	dialled, err := net.Dial("tcp4", listener.Addr().String())
	must(t, err)
	accepted, err := listener.AcceptTCP()
	must(t, err)
	one, err = dialled.(*net.TCPConn).File()
	must(t, err)
	other, err = accepted.File()
	must(t, err, dialled.Close(), accepted.Close(), listener.Close())
	return one, other
}

// sleeping starts a process that has the files open, and gives its end.
func sleeping(t *testing.T, files ...*os.File) (int, <-chan syscall.WaitStatus) {
	t.Helper()
	process := exec.Command("sleep", "60")
	process.ExtraFiles = files
	must(t, process.Start())
	ended := make(chan syscall.WaitStatus, 1)
	go func() {
		_ = process.Wait()
		ended <- process.ProcessState.Sys().(syscall.WaitStatus)
	}()
	t.Cleanup(func() { _ = process.Process.Kill() })
	return process.Process.Pid, ended
}

// takenAway is a program with a connection that CRIU has put into repair mode. The other end is ours.
func takenAway(t *testing.T) (program int, own, other *os.File) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("repair mode takes CAP_NET_ADMIN, and the descriptors of others CAP_SYS_PTRACE: root has them")
	}
	own, other = connection(t)
	program, _ = sleeping(t, own)
	must(t, syscall.SetsockoptInt(int(own.Fd()), syscall.IPPROTO_TCP, tcpRepair, 1))
	if _, err := own.Write([]byte("x")); err == nil {
		t.Fatal("a connection in repair mode lets something pass")
	}
	return program, own, other
}

func assertPasses(t *testing.T, from, to *os.File) {
	t.Helper()
	_, err := from.Write([]byte("x"))
	must(t, err)
	if size, err := to.Read(make([]byte, 2)); size != 1 || err != nil {
		t.Errorf("%d %v", size, err)
	}
}

// stopped is a CRIU that has stopped while it held the program of that number.
func stopped(t *testing.T, program int) *Worker {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	theirs := os.NewFile(uintptr(pair[1]), "theirs")
	pid, ended := sleeping(t, theirs)
	must(t, theirs.Close(), syscall.Kill(pid, syscall.SIGSTOP))
	return &Worker{PID: pid, Ended: closedAt(ended), socket: os.NewFile(uintptr(pair[0]), "ours"), root: program}
}

// within returns what a function returns, which it must do soon.
func within(t *testing.T, do func() error) error {
	t.Helper()
	usual := Slowest
	Slowest = 50 * time.Millisecond
	defer func() { Slowest = usual }()
	result := make(chan error, 1)
	go func() { result <- do() }()
	select {
	case err := <-result:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("it does not return")
		return nil
	}
}

func TestConnectionsAreGivenBack(t *testing.T) {
	program, own, other := takenAway(t)
	must(t, giveBackConnections(program))
	assertPasses(t, own, other)
	assertPasses(t, other, own)
}

func TestAProgramWithoutConnectionsGetsNoneBack(t *testing.T) {
	null, err := os.Open(os.DevNull)
	must(t, err)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	program, ended := sleeping(t, null, os.NewFile(uintptr(pair[0]), "unix"), os.NewFile(uintptr(pair[1]), "unix"))
	must(t, giveBackConnections(program), syscall.Kill(program, syscall.SIGKILL))
	<-ended
	must(t, giveBackConnections(program))
}

func TestACheckpointerThatStopsWhileItWritesGivesTheConnectionsBackAtItsEnd(t *testing.T) {
	program, own, other := takenAway(t)
	must(t, within(t, stopped(t, program).Close))
	assertPasses(t, own, other)
}

func TestACheckpointerThatStopsInsteadOfFinishingGivesTheConnectionsBackAtItsEnd(t *testing.T) {
	program, own, other := takenAway(t)
	if err := within(t, stopped(t, program).Finish); err == nil {
		t.Error("it is said to have finished")
	}
	assertPasses(t, own, other)
}

func TestConnectionsThatCannotBeGivenBackAreLost(t *testing.T) {
	program, _, _ := takenAway(t)
	result := make(chan error)
	go func() {
		// The thread that gives its capabilities up ends with this goroutine.
		runtime.LockOSThread()
		if err := sys.DropCapabilities(); err != nil {
			result <- err
			return
		}
		result <- giveBackConnections(program)
	}()
	if err := <-result; !errors.Is(err, ErrConnectionsLost) {
		t.Error(err)
	}
}
