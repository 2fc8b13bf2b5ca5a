package checkpoint

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/layer"
	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/protocol"
	"ergosphere.dev/launcher/internal/sys"
)

// MakeDirectory makes sure that the directory in which a program saves its own state is there, for that user to write
// in, and returns its path without symbolic links.
func MakeDirectory(directory string, user program.User) (string, error) {
	_, err := os.Stat(directory)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(directory, 0o755)
		if err == nil {
			err = os.Chown(directory, int(user.UID), int(user.GID))
		}
	}
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(directory)
}

// TakeDirectory writes an image of the directory in which a program has saved its own state, and returns its size. What
// has not changed since it was restored is kept apart: it counts less than what another worker has written since. A
// directory on a volume is not copied: it is expected where the program goes on. The error is a *protocol.Failure.
func TakeDirectory(dir, directory string, roots []layer.Root, restored time.Time, mustHold bool) (int64, error) {
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return 0, failure("ImageNotWritable", err)
	}
	if err := takeDirectory(dir, directory, roots, restored, mustHold); err != nil {
		return 0, failure("FilesNotSaved", errors.Join(err, os.RemoveAll(dir)))
	}
	bytes, err := size(dir)
	if err != nil {
		return 0, failure("FilesNotSaved", err)
	}
	return bytes, nil
}

func takeDirectory(dir, directory string, roots []layer.Root, restored time.Time, mustHold bool) error {
	opened, err := sys.OpenExactly(directory, syscall.O_RDONLY|syscall.O_DIRECTORY)
	if err != nil {
		return err
	}
	names, err := opened.Readdirnames(-1)
	if err := errors.Join(err, opened.Close()); err != nil {
		return err
	}
	if mustHold && len(names) == 0 {
		return protocol.Failed("NothingSaved", "the program ended and left nothing in %s", directory)
	}
	carried, err := isCarried(directory, roots)
	if err == nil && carried {
		err = archiveDirectory(dir, directory, restored)
	}
	if err != nil {
		return err
	}
	return WriteRecord(dir, Record{Directory: directory})
}

// archiveDirectory says nothing of files that are not there, so that several archives can be laid over each other.
func archiveDirectory(dir, directory string, restored time.Time) error {
	entries, err := layer.Scan(layer.Root{Path: directory})
	if err != nil {
		return err
	}
	archives := map[string][]layer.Entry{keptName: nil, filesName: nil}
	for _, entry := range entries {
		entry.Names = nil
		isDirectory, isNew := entry.Status.Type() == syscall.S_IFDIR, entry.Status.Changed.After(restored)
		if isDirectory || !isNew {
			archives[keptName] = append(archives[keptName], entry)
		}
		if isDirectory || isNew {
			archives[filesName] = append(archives[filesName], entry)
		}
	}
	for name, entries := range archives {
		write := func(stream *tar.Writer) error { return layer.Archive(stream, directory, entries) }
		if err := writeTar(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

// RestoreDirectory lays the images in the subdirectories of dir over each other in the directory, in the order of
// their names: first what each worker had kept, then what each had written. It returns the time of the last change that
// this makes. The error is a *protocol.Failure.
func RestoreDirectory(dir, directory string) (time.Time, error) {
	images, err := os.ReadDir(dir)
	if err != nil {
		return time.Time{}, failure("ImageDamaged", err)
	}
	for _, name := range []string{keptName, filesName} {
		for _, image := range images {
			if !image.IsDir() {
				continue
			}
			if err := restoreDirectory(filepath.Join(dir, image.Name()), name, directory); err != nil {
				return time.Time{}, failure("FilesNotRestored", err)
			}
		}
	}
	restored, err := lastChange(directory)
	if err != nil {
		return time.Time{}, failure("FilesNotRestored", err)
	}
	return restored, nil
}

// lastChange is by the clock that stamps files, which is not quite the one that programs read.
func lastChange(directory string) (time.Time, error) {
	entries, err := layer.Scan(layer.Root{Path: directory})
	var last time.Time
	for _, entry := range entries {
		if entry.Status.Changed.After(last) {
			last = entry.Status.Changed
		}
	}
	return last, err
}

func restoreDirectory(dir, name, directory string) error {
	record, err := ReadRecord(dir)
	if err != nil {
		return protocol.Failed("ImageDamaged", "the image cannot be read: %v", err)
	}
	if record.Directory == "" {
		return protocol.Failed("WrongMode", "the checkpoint holds a process, and no state that a program saved itself")
	}
	if record.Directory != directory {
		return protocol.Failed("WrongDirectory",
			"the checkpoint holds the directory %q of a program that saved its own state; this one's is %q", record.Directory, directory)
	}
	files := filepath.Join(dir, name)
	// Without an archive the directory lies on a volume.
	if _, err := os.Stat(files); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return extract(files, []layer.Root{{Path: directory}})
}
