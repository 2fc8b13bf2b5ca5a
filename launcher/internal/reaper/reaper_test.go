package reaper

import (
	"strconv"
	"syscall"
	"testing"
)

// A process has one reaper.
var children = Start()

func TestTheStatusReachesWhoeverWaits(t *testing.T) {
	for _, code := range []int{0, 7} {
		shell := []string{"/bin/sh", "-c", "exit " + strconv.Itoa(code)}
		_, ended, err := children.Spawn(shell[0], shell, &syscall.ProcAttr{})
		if err != nil {
			t.Fatal(err)
		}
		if status := <-ended; status.ExitStatus() != code {
			t.Errorf("%d instead of %d", status.ExitStatus(), code)
		}
	}
	shell := []string{"/bin/sh", "-c", "kill -9 $$"}
	_, ended, err := children.Spawn(shell[0], shell, &syscall.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if status := <-ended; status.Signal() != syscall.SIGKILL {
		t.Errorf("%v", status)
	}
}

func TestManyChildrenThatEndAtOnceAreAllReaped(t *testing.T) {
	var waiting []<-chan syscall.WaitStatus
	for range 50 {
		_, ended, err := children.Spawn("/bin/true", []string{"true"}, &syscall.ProcAttr{})
		if err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, ended)
	}
	for _, ended := range waiting {
		if status := <-ended; status.ExitStatus() != 0 {
			t.Errorf("%v", status)
		}
	}
}

func TestWhatCannotBeStartedIsAnError(t *testing.T) {
	if _, _, err := children.Spawn("/no/such/program", []string{"x"}, &syscall.ProcAttr{}); err != syscall.ENOENT {
		t.Error(err)
	}
}
