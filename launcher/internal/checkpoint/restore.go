package checkpoint

import (
	"archive/tar"
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"time"

	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/layer"
)

const restoreLog = "restore.log"

// Restored is a program that stands where it was dumped, still held frozen.
type Restored struct {
	Worker         *criu.Worker
	Files, Restore time.Duration
}

// Restore puts the changed files back and brings the program of the record back, with the given descriptors as the
// pipes of its stdout and stderr, in a job of that UID. The error is a *protocol.Failure.
func Restore(installed criu.Installed, record Record, job, dir string, roots []layer.Root, stdout, stderr int) (Restored, error) {
	begun := time.Now()
	if err := putBack(record, job, dir, roots); err != nil {
		return Restored{}, failure("FilesNotRestored", err)
	}
	restored := Restored{Files: time.Since(begun)}
	begun = time.Now()
	worker, err := installed.Restore(dir, map[uint64]int{record.Stdout: stdout, record.Stderr: stderr})
	if err != nil {
		return Restored{}, failure("CheckpointerMissing", err)
	}
	if err := advanceRestore(worker, dir); err != nil {
		return Restored{}, errors.Join(diagnosed(dir, restoreLog, err), worker.Close())
	}
	restored.Worker, restored.Restore = worker, time.Since(begun)
	return restored, nil
}

// putBack makes the files what they were for the program.
func putBack(record Record, job, dir string, roots []layer.Root) error {
	if err := extract(filepath.Join(dir, filesName), roots); err != nil {
		return err
	}
	// Another job may still write to its volumes, and what it has written is its own.
	if record.Job == "" || record.Job == job {
		if err := cutBack(record.Volumes); err != nil {
			return err
		}
	}
	return criu.FollowVolumes(dir)
}

func extract(name string, roots []layer.Root) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	err = layer.Extract(tar.NewReader(bufio.NewReaderSize(file, 1<<20)), roots)
	return errors.Join(err, file.Close())
}
