package output

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func logFile(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestEveryByteArrivesInOrder(t *testing.T) {
	log := logFile(t)
	pump, err := New(log, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789\n"), 100_000)
	program := os.NewFile(uintptr(pump.WriteEnd()), "stdout")
	if _, err := program.Write(want); err != nil {
		t.Fatal(err)
	}
	if err := program.Close(); err != nil {
		t.Fatal(err)
	}
	if err := pump.Drain(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(log.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d arrived (%v)", len(got), len(want), err)
	}
}

func TestDrainingDoesNotWaitForOneWhoKeepsThePipeOpen(t *testing.T) {
	log := logFile(t)
	pump, err := New(log, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	defer pump.CloseWriteEnd()
	if _, err := syscall.Write(pump.WriteEnd(), []byte("written before")); err != nil {
		t.Fatal(err)
	}
	if err := pump.Drain(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(log.Name()); err != nil || string(got) != "written before" {
		t.Errorf("%q %v", got, err)
	}
}

func TestALogThatNobodyReadsDoesNotStopTheProgram(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	pump, err := New(write, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	program := os.NewFile(uintptr(pump.WriteEnd()), "stdout")
	for range 100 {
		if _, err := program.Write(make([]byte, 1<<16)); err != nil {
			t.Fatal(err)
		}
	}
	program.Close()
	if err := pump.Drain(); err != nil {
		t.Fatal(err)
	}
}

func TestThePipeIsKnownByItsInode(t *testing.T) {
	pump, err := New(logFile(t), os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	defer pump.Drain()
	defer pump.CloseWriteEnd()
	var stat syscall.Stat_t
	if err := syscall.Fstat(pump.WriteEnd(), &stat); err != nil || stat.Ino != pump.Inode {
		t.Errorf("%d is not %d (%v)", pump.Inode, stat.Ino, err)
	}
}
