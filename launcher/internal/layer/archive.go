package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"ergosphere.dev/launcher/internal/sys"
)

// Archive writes the entries of a root to a tar stream under their absolute paths. Sockets and devices are left
// out: CRIU makes the sockets again, and the program may not make devices. So is what has gone since the scan: other
// containers of the pod run on, and work in its volumes.
func Archive(archive *tar.Writer, root string, entries []Entry) error {
	base, err := sys.OpenDirectory(root)
	if err != nil {
		return err
	}
	defer base.Close()
	writer := writer{tar: archive, root: root, base: int(base.Fd()), names: map[file]string{}}
	for _, entry := range entries {
		if err := writer.add(entry); err != nil {
			return fmt.Errorf("archive %s: %w", path.Join(root, entry.Path), err)
		}
	}
	return nil
}

type writer struct {
	tar  *tar.Writer
	root string
	base int
	// names holds the name under which each file is archived first; its other names become links to that.
	names map[file]string
}

type file struct {
	device [2]uint32
	inode  uint64
}

func (w *writer) add(entry Entry) error {
	status := entry.Status
	header := &tar.Header{
		Name:    strings.TrimPrefix(path.Join(w.root, entry.Path), "/"),
		Mode:    int64(status.Mode &^ syscall.S_IFMT),
		Uid:     int(status.UID),
		Gid:     int(status.GID),
		ModTime: status.Modified,
		Format:  tar.FormatPAX,
	}
	switch status.Type() {
	case syscall.S_IFREG:
		return w.addRegular(entry, header)
	case syscall.S_IFDIR:
		return w.addDirectory(header, entry.Names)
	case syscall.S_IFIFO:
		header.Typeflag = tar.TypeFifo
	case syscall.S_IFLNK:
		target, err := sys.ReadLink(w.base, entry.Path)
		if isGone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		header.Typeflag, header.Linkname = tar.TypeSymlink, target
	default:
		return nil
	}
	return w.tar.WriteHeader(header)
}

func (w *writer) addRegular(entry Entry, header *tar.Header) error {
	if first, known := w.names[identity(entry.Status)]; known {
		header.Typeflag, header.Linkname = tar.TypeLink, first
		return w.tar.WriteHeader(header)
	}
	opened, status, err := w.openRegular(entry.Path)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	w.names[identity(status)] = header.Name
	return errors.Join(w.writeContent(header, opened, int64(status.Size)), opened.Close())
}

// openRegular looks at the file again, since another may have taken its name since the scan.
func (w *writer) openRegular(name string) (*os.File, sys.FileStatus, error) {
	opened, err := sys.OpenBeneath(w.base, name, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, sys.FileStatus{}, err
	}
	status, err := sys.Stat(int(opened.Fd()), "")
	if err == nil && status.Type() != syscall.S_IFREG {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, sys.FileStatus{}, errors.Join(err, opened.Close())
	}
	return opened, status, nil
}

func identity(status sys.FileStatus) file { return file{status.Device, status.Inode} }

// isGone says that a file is not there any more, or that something of another kind has its name or its directory's.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}
