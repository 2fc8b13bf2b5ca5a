package proctree

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
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
