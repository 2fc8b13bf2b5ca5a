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

// Taken is a finished image of a program that is still held frozen.
type Taken struct {
	// Worker holds the program: Finish resumes it.
	Worker *criu.Worker
	// Freeze lasts from the request to the moment the program stands still, Dump from then to CRIU's end, Files
	// from then to the end of the archive.
	Freeze, Dump, Files time.Duration
	Bytes               int64
}

// Take freezes the program and writes its image to dir, replacing what is there. If it fails, the program runs on as
// if nothing had been tried, dir holds CRIU's log alone, and the error is a *protocol.Failure for the job's owner.
func Take(installed criu.Installed, record Record, dir string, roots []layer.Root) (Taken, error) {
	begun := time.Now()
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return Taken{}, failure("ImageNotWritable", err)
	}
	worker, err := installed.Dump(record.Root, dir, record.User)
	if err != nil {
		return Taken{}, failure("CheckpointerMissing", err)
	}
	taken, err := take(worker, record, dir, roots, begun)
	if err != nil {
		err = errors.Join(err, worker.Close(), removeAllBut(dir, dumpLog))
	}
	return taken, err
}

func take(worker *criu.Worker, record Record, dir string, roots []layer.Root, begun time.Time) (Taken, error) {
	var frozen time.Time
	var scans []scan
	err := worker.AdvanceTo(criu.StageDumped, func(stage string) error {
		if stage != criu.StageFrozen {
			return nil
		}
		frozen = time.Now()
		scans = scanAll(roots)
		return checkIPC()
	})
	if errors.Is(err, criu.ErrRefused) {
		return Taken{}, criu.Diagnose(dir, dumpLog, err)
	}
	if err != nil {
		return Taken{}, failure("CheckpointerFailed", err)
	}
	taken := Taken{Worker: worker, Freeze: frozen.Sub(begun), Dump: time.Since(frozen)}
	dumped := time.Now()
	taken.Bytes, err = addFiles(record, dir, roots, scans)
	if err != nil {
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
