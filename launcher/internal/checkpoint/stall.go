package checkpoint

import (
	"context"
	"time"

	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/protocol"
)

// How long CRIU may write nothing, how often that is looked at, and what it may take to restore: a time for any
// program, and more for what it has to read.
var (
	stillLimit     = 120 * time.Second
	stillInterval  = 5 * time.Second
	restoreLimit   = 60 * time.Second
	bytesPerSecond = 20e6
)

// advanceDump waits for the end of a dump. A CRIU that stands still is killed: how long it has to write depends on the
// program, but not how long it may write nothing.
func advanceDump(worker *criu.Worker, dir string) error {
	watched, end := context.WithCancelCause(context.Background())
	defer end(nil)
	go endWhenStill(watched, dir, end)
	return worker.AdvanceUnder(watched, criu.StageDumped)
}

// endWhenStill ends a context when a directory does not grow any more.
func endWhenStill(watched context.Context, dir string, end context.CancelCauseFunc) {
	samples := time.NewTicker(stillInterval)
	defer samples.Stop()
	bytes, grown := int64(-1), time.Now()
	for watched.Err() == nil {
		// A file that goes while they are counted is a change too.
		if now, _ := size(dir); now != bytes {
			bytes, grown = now, time.Now()
		}
		if time.Since(grown) >= stillLimit {
			end(protocol.Failed("CheckpointerStalled", "CRIU wrote nothing for %v: the image stayed at %d bytes",
				stillLimit, bytes))
		}
		select {
		case <-samples.C:
		case <-watched.Done():
		}
	}
}

// advanceRestore waits until the program stands where it was dumped. A CRIU that takes much longer than it takes to read
// the image is killed.
func advanceRestore(worker *criu.Worker, dir string) error {
	bytes, err := size(dir)
	if err != nil {
		return err
	}
	limit := restoreLimit + time.Duration(float64(bytes)/bytesPerSecond*float64(time.Second))
	late := protocol.Failed("CheckpointerStalled", "CRIU had not restored the image of %d bytes after %v",
		bytes, limit.Round(time.Second))
	limited, end := context.WithTimeoutCause(context.Background(), limit, late)
	defer end()
	return worker.AdvanceUnder(limited, criu.StageRestored)
}
