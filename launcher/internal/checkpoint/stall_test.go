package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/protocol"
	"ergosphere.dev/launcher/internal/reaper"
)

// A process has one reaper.
var children = reaper.Start()

// A CRIU that announces a stage: a notification of CRIU's protocol, whose only content is the stage's name.
const (
	says     = `printf '\010\006\052\%03o\012\%03o%s' >&3; exec sleep 60`
	goesOn   = `for i in 1 2 3 4 5 6 7 8 9 10; do echo >>%s/pages-1.img; sleep 0.1; done; `
	isSilent = `exec sleep 60`
)

func announces(stage string) string { return fmt.Sprintf(says, len(stage)+2, len(stage), stage) }

// started is a CRIU that does as the script says.
func started(t *testing.T, script string) *criu.Worker {
	t.Helper()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "criu"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	installed, _, err := criu.New(directory, directory, children)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := installed.Dump(os.Getpid(), directory, program.User{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = worker.Close() })
	return worker
}

// shorten makes a limit shorter for a test.
func shorten[T any](t *testing.T, limit *T, value T) {
	usual := *limit
	*limit = value
	t.Cleanup(func() { *limit = usual })
}

// impatient makes all that is waited for here take less than a second.
func impatient(t *testing.T) {
	shorten(t, &stillLimit, 400*time.Millisecond)
	shorten(t, &stillInterval, 50*time.Millisecond)
	shorten(t, &restoreLimit, 400*time.Millisecond)
	shorten(t, &criu.Slowest, 100*time.Millisecond)
}

func assertStalled(t *testing.T, err error, message string) {
	t.Helper()
	var failure *protocol.Failure
	if !errors.As(err, &failure) || failure.Reason != "CheckpointerStalled" || failure.Message != message {
		t.Errorf("%v", err)
	}
}

func TestADumpThatStandsStillFails(t *testing.T) {
	impatient(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pages-1.img"), make([]byte, 7), 0o600); err != nil {
		t.Fatal(err)
	}
	err := diagnosed(dir, dumpLog, advanceDump(started(t, isSilent), dir))
	assertStalled(t, err, "CRIU wrote nothing for 400ms: the image stayed at 7 bytes")
}

func TestADumpMayTakeAsLongAsItGoesOn(t *testing.T) {
	impatient(t)
	dir := t.TempDir()
	if err := advanceDump(started(t, fmt.Sprintf(goesOn, dir)+announces(criu.StageDumped)), dir); err != nil {
		t.Error(err)
	}
}

func TestARestoreThatTakesTooLongForItsSizeFails(t *testing.T) {
	impatient(t)
	err := advanceRestore(started(t, isSilent), t.TempDir())
	assertStalled(t, diagnosed("", restoreLog, err), "CRIU had not restored the image of 0 bytes after 0s")
}

func TestARestoreMayTakeLongerTheMoreItHasToRead(t *testing.T) {
	impatient(t)
	shorten(t, &bytesPerSecond, 1000)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pages-1.img"), make([]byte, 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := advanceRestore(started(t, "sleep 1; "+announces(criu.StageRestored)), dir); err != nil {
		t.Error(err)
	}
}
