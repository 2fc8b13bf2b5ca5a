package layer

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"ergosphere.dev/launcher/internal/sys"
)

// makeDirectory makes sure that a directory is there and, if the archive has a list, holds nothing but what is on it.
func makeDirectory(at int, name, list string, listed bool) error {
	status, err := sys.Stat(at, name)
	if err == nil && status.Type() != syscall.S_IFDIR {
		if err := sys.Remove(at, name); err != nil {
			return err
		}
		err = fs.ErrNotExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		return sys.MakeDirectory(at, name, 0o700)
	}
	if err != nil {
		return err
	}
	if !listed {
		return nil
	}
	directory, err := sys.OpenBeneath(at, name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(prune(directory, status.MountID, list), directory.Close())
}

// prune removes from a directory what is not on a list. Mount points stay. The list is not taken apart: in an archive that
// means harm, its names may be many more than the directory's.
func prune(directory *os.File, mount uint64, list string) error {
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return err
	}
	surplus := map[string]bool{}
	for _, name := range names {
		surplus[name] = true
	}
	for name := range strings.SplitSeq(list, namesSeparator) {
		delete(surplus, name)
	}
	for name := range surplus {
		if err := removeTree(int(directory.Fd()), name, mount); err != nil {
			return err
		}
	}
	return nil
}

// clearName removes whatever has a name, for something else to take it.
func clearName(at int, name string) error {
	status, err := sys.Stat(at, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return removeTree(at, name, status.MountID)
}

func removeTree(at int, name string, mount uint64) error {
	status, err := sys.Stat(at, name)
	if err != nil || status.MountID != mount {
		return err
	}
	if status.Type() != syscall.S_IFDIR {
		return sys.Remove(at, name)
	}
	directory, err := sys.OpenBeneath(at, name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(prune(directory, mount, ""), directory.Close()); err != nil {
		return err
	}
	if err := sys.RemoveDirectory(at, name); !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EBUSY) {
		return err
	}
	// A mount below keeps it.
	return nil
}

// finishDirectories gives the directories their attributes, the innermost first.
func (e *extraction) finishDirectories() error {
	for _, header := range slices.Backward(e.directories) {
		if err := e.finishDirectory(header); err != nil {
			return &os.PathError{Op: "restore", Path: "/" + header.Name, Err: err}
		}
	}
	return nil
}

func (e *extraction) finishDirectory(header *tar.Header) error {
	directory, name, err := e.parent(header.Name)
	if err != nil {
		return err
	}
	defer directory.Close()
	at := int(directory.Fd())
	status, err := sys.Stat(at, name)
	if err != nil {
		return err
	}
	if status.Type() != syscall.S_IFDIR {
		return errors.New("the archive has it as a directory and as something else")
	}
	// Only its owner may change a directory's mode and time.
	if err := sys.SetOwner(at, name, 0, 0); err != nil {
		return err
	}
	return setAttributes(at, name, header)
}
