package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/layer"
	"ergosphere.dev/launcher/internal/protocol"
)

const dumpLog = "dump.log"

// Frozen is a program that stands still, and of which nothing is written yet.
type Frozen struct {
	// Worker holds the program: Close lets it run on.
	Worker *criu.Worker
	// Freeze lasts from CRIU's being told to begin to the moment the program stands still.
	Freeze time.Duration
	// Dir is where the image is written.
	Dir string
}

// Taken is a finished image of a program that is still held frozen.
type Taken struct {
	// Worker holds the program: Finish resumes it.
	Worker *criu.Worker
	// Dump lasts from CRIU's being told to write to its end, Files from then to the end of the archive.
	Freeze, Dump, Files time.Duration
	Bytes               int64
}

// Prepare starts a CRIU that will write the program's image to dir, replacing what is there. Nearly all of the time
// that CRIU takes until the program stands still is spent here, while the program runs. If it fails, dir holds CRIU's log
// alone, and the error is a *protocol.Failure for the job's owner.
func Prepare(installed criu.Installed, record Record, dir string) (*criu.Worker, error) {
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return nil, failure("ImageNotWritable", err)
	}
	worker, err := installed.Dump(record.Root, dir, record.User)
	if err != nil {
		return nil, failure("CheckpointerMissing", err)
	}
	if err := worker.AdvanceWithin(criu.Slowest, criu.StageReady); err != nil {
		return nil, errors.Join(diagnosed(dir, dumpLog, err), worker.Close(), removeAllBut(dir, dumpLog))
	}
	return worker, nil
}

// Freeze stops the program for an image in the dir that the worker was prepared for. If it fails, the program runs on as
// if nothing had been tried, dir holds CRIU's log alone, and the error is a *protocol.Failure for the job's owner.
func Freeze(worker *criu.Worker, dir string) (Frozen, error) {
	begun := time.Now()
	err := worker.Proceed()
	if err != nil {
		err = failure("CheckpointerFailed", err)
	} else if err = worker.AdvanceWithin(criu.Slowest, criu.StageFrozen); err != nil {
		err = diagnosed(dir, dumpLog, err)
	}
	if err != nil {
		return Frozen{}, errors.Join(err, worker.Close(), removeAllBut(dir, dumpLog))
	}
	return Frozen{Worker: worker, Freeze: time.Since(begun), Dir: dir}, nil
}

// Take writes the image of a frozen program. It fails as Freeze does.
func Take(frozen Frozen, record Record, roots []layer.Root) (Taken, error) {
	taken, err := take(frozen, record, roots)
	if err != nil {
		err = errors.Join(err, frozen.Worker.Close(), removeAllBut(frozen.Dir, dumpLog))
	}
	return taken, err
}

func take(frozen Frozen, record Record, roots []layer.Root) (Taken, error) {
	dir, begun, scans := frozen.Dir, time.Now(), scanAll(roots)
	err := checkIPC()
	if err == nil {
		err = frozen.Worker.Write(record.Root)
	}
	if err != nil {
		return Taken{}, failure("CheckpointerFailed", err)
	}
	if err := advanceDump(frozen.Worker, dir); err != nil {
		return Taken{}, diagnosed(dir, dumpLog, err)
	}
	taken := Taken{Worker: frozen.Worker, Freeze: frozen.Freeze, Dump: time.Since(begun)}
	dumped := time.Now()
	if taken.Bytes, err = addFiles(record, dir, roots, scans); err != nil {
		return Taken{}, failure("FilesNotSaved", err)
	}
	taken.Files = time.Since(dumped)
	return taken, nil
}

// addFiles completes CRIU's image with the changed files and the record, and returns the size of it all.
func addFiles(record Record, dir string, roots []layer.Root, scans []scan) (int64, error) {
	open, err := criu.Files(dir)
	if err != nil {
		return 0, err
	}
	if err := archive(filepath.Join(dir, filesName), scans, criu.LinkRemaps(open)); err != nil {
		return 0, err
	}
	if record.Volumes, err = onVolumes(open, roots); err != nil {
		return 0, err
	}
	if err := WriteRecord(dir, record); err != nil {
		return 0, err
	}
	return size(dir)
}

// diagnosed says why CRIU did not do what it was asked.
func diagnosed(dir, log string, err error) error {
	if errors.Is(err, criu.ErrRefused) {
		return criu.Diagnose(dir, log, err)
	}
	return failure("CheckpointerFailed", err)
}

// failure gives an error a reason, unless it has one.
func failure(reason string, err error) *protocol.Failure {
	var failed *protocol.Failure
	if errors.As(err, &failed) {
		return failed
	}
	return protocol.Failed(reason, "%v", err)
}

func size(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total, err
}

func removeAllBut(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Name() != keep {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}
