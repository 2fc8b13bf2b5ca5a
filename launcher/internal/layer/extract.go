package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"ergosphere.dev/launcher/internal/sys"
)

// Extract puts an archived layer back below the given roots. It trusts neither the archive nor what it finds:
// nothing is written through a symbolic link, on another mount, or outside of the roots. What is for a read-only root is
// passed over.
func Extract(archive *tar.Reader, roots []Root) error {
	extraction := extraction{bases: map[string]*os.File{}, readOnly: map[string]bool{}}
	defer extraction.close()
	for _, root := range roots {
		base, err := sys.OpenDirectory(root.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		extraction.bases[root.Path], extraction.readOnly[root.Path] = base, root.ReadOnly
	}
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return extraction.finishDirectories()
		}
		if err != nil {
			return fmt.Errorf("the archive of changed files is damaged: %w", err)
		}
		if err := extraction.put(header, archive); err != nil {
			return fmt.Errorf("restore /%s: %w", header.Name, err)
		}
	}
}

type extraction struct {
	bases    map[string]*os.File
	readOnly map[string]bool
	// directories get their attributes last: files made in them would change the time of modification.
	directories []*tar.Header
}

func (e *extraction) close() {
	for _, base := range e.bases {
		base.Close()
	}
}

// parent opens the directory that holds a name, and returns it with the last element of the name.
func (e *extraction) parent(name string) (*os.File, string, error) {
	name = strings.TrimSuffix(name, "/")
	if name != "" && (!isLocal(name) || strings.ContainsRune(name, 0)) {
		return nil, "", errors.New("the archive names a file outside of the roots")
	}
	root, rest := e.rootOf("/" + name)
	base, known := e.bases[root]
	if !known {
		return nil, "", errors.New("the archive names a file outside of the roots")
	}
	directory, err := sys.OpenDirectoryBeneath(int(base.Fd()), path.Join(".", path.Dir(rest)))
	return directory, path.Base(rest), err
}

// rootOf finds the innermost root above an absolute path, and the path from there.
func (e *extraction) rootOf(name string) (root, rest string) {
	for root = name; ; root = path.Dir(root) {
		if _, known := e.bases[root]; known || root == "/" {
			return root, path.Join(".", strings.TrimPrefix(name, root))
		}
	}
}

// isLocal says whether a path is clean and stays below where it starts.
func isLocal(name string) bool {
	return path.Clean(name) == name && name != "." && name != ".." &&
		!strings.HasPrefix(name, "../") && !strings.HasPrefix(name, "/")
}

func (e *extraction) put(header *tar.Header, content io.Reader) error {
	if root, _ := e.rootOf("/" + strings.TrimSuffix(header.Name, "/")); e.readOnly[root] {
		return nil
	}
	directory, name, err := e.parent(header.Name)
	if err != nil {
		return err
	}
	defer directory.Close()
	at := int(directory.Fd())
	_, root := e.bases["/"+strings.TrimSuffix(header.Name, "/")]
	if header.Typeflag == tar.TypeDir || header.Typeflag == typeListed {
		list, listed, err := takeNames(header, content)
		if err != nil {
			return err
		}
		// A root is the new pod's own and keeps its attributes: /dev/shm may belong to a user from outside.
		if !root {
			e.directories = append(e.directories, header)
		}
		return makeDirectory(at, name, list, listed)
	}
	if root {
		return errors.New("the archive has a root as something else than a directory")
	}
	if err := clearName(at, name); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeReg:
		err = writeRegular(at, name, content)
	case typeSparse:
		err = writeSparse(at, name, header, content)
	case tar.TypeSymlink:
		err = sys.Symlink(header.Linkname, at, name)
	case tar.TypeFifo:
		err = sys.MakePipe(at, name, 0o600)
	case tar.TypeLink:
		return e.link(header.Linkname, at, name)
	default:
		err = fmt.Errorf("the archive holds a file of unknown type %q", header.Typeflag)
	}
	if err != nil {
		return err
	}
	return setAttributes(at, name, header)
}

func (e *extraction) link(target string, at int, name string) error {
	directory, existing, err := e.parent(target)
	if err != nil {
		return err
	}
	defer directory.Close()
	return sys.Link(int(directory.Fd()), existing, at, name)
}

func writeRegular(at int, name string, content io.Reader) error {
	file, err := create(at, name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

func create(at int, name string) (*os.File, error) {
	return sys.OpenBeneath(at, name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_NOFOLLOW, 0o600)
}

// setAttributes gives a file we own its mode, its time and, last, its owner: after that it is no longer ours
// to change. A change of owner clears the set-user-ID bit, which means nothing to a program that may not gain privileges.
func setAttributes(at int, name string, header *tar.Header) error {
	if header.Typeflag != tar.TypeSymlink {
		if err := sys.SetMode(at, name, uint32(header.Mode&0o7777)); err != nil {
			return err
		}
	}
	if err := sys.SetModified(at, name, header.ModTime); err != nil {
		return err
	}
	return sys.SetOwner(at, name, uint32(header.Uid), uint32(header.Gid))
}
