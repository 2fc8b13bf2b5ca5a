// Package layer finds what the container has changed in its writable layer, archives it, and puts it back.
package layer

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/sys"
)

// Root is a directory tree that travels with the program, as far as it lies on one mount.
type Root struct {
	Path string
	// Since leaves out what has not changed since then; the zero time leaves out nothing.
	Since time.Time
	// ReadOnly says that nothing can be put back here. Whoever filled it does so again in a new pod.
	ReadOnly bool
}

// Entry is one file of a tree, named relative to its root. Names lists what a directory holds: what else is there where
// it is put back is removed, unless Names is nil.
type Entry struct {
	Path   string
	Status sys.FileStatus
	Names  []string
}

// Scan returns the changed files below a root in the order of their paths. Files that go meanwhile may be left out:
// other containers of the pod work in its volumes while the program stands still.
// Other mounts below it are left out: /proc, volumes, and the files a container runtime mounts into /etc.
func Scan(root Root) ([]Entry, error) {
	base, err := sys.OpenDirectory(root.Path)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	status, err := sys.Stat(int(base.Fd()), "")
	if err != nil {
		return nil, err
	}
	walk := walk{root: root, base: int(base.Fd()), mount: status.MountID}
	walk.wake.L = &walk.mutex
	walk.pending = []Entry{{Path: ".", Status: status}}
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(walk.work)
	}
	workers.Wait()
	if walk.err != nil {
		return nil, walk.err
	}
	sort.Slice(walk.found, func(i, j int) bool { return walk.found[i].Path < walk.found[j].Path })
	return walk.found, nil
}

// Find looks at one file by its absolute path. It is found if it lies on the root's mount.
func Find(root Root, name string) (entry Entry, found bool, err error) {
	relative, err := filepath.Rel(root.Path, name)
	if err != nil || !filepath.IsLocal(relative) {
		return Entry{}, false, err
	}
	base, err := sys.Stat(sys.AtFdcwd, root.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, err
	}
	status, err := sys.Stat(sys.AtFdcwd, name)
	if err != nil {
		return Entry{}, false, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	return Entry{Path: relative, Status: status}, status.MountID == base.MountID, nil
}

// walk is shared by workers that each take a directory, list it, and leave the directories they find to all.
type walk struct {
	root  Root
	base  int
	mount uint64

	mutex   sync.Mutex
	wake    sync.Cond
	pending []Entry
	busy    int
	found   []Entry
	err     error
}

func (w *walk) work() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for {
		for len(w.pending) == 0 && w.busy > 0 && w.err == nil {
			w.wake.Wait()
		}
		if len(w.pending) == 0 || w.err != nil {
			w.wake.Broadcast()
			return
		}
		directory := w.pending[len(w.pending)-1]
		w.pending = w.pending[:len(w.pending)-1]
		w.busy++
		w.mutex.Unlock()
		found, below, err := w.list(directory)
		w.mutex.Lock()
		w.busy--
		w.found = append(w.found, found...)
		w.pending = append(w.pending, below...)
		w.err = errors.Join(w.err, err)
		w.wake.Broadcast()
	}
}

// list looks at each file of one directory. It finds the directory itself, if it has changed, and its files.
func (w *walk) list(directory Entry) (found, below []Entry, err error) {
	opened, err := sys.OpenBeneath(w.base, directory.Path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if isGone(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer opened.Close()
	directory.Names, err = opened.Readdirnames(-1)
	if isGone(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if w.changed(directory) {
		found = append(found, directory)
	}
	for _, name := range directory.Names {
		entry := Entry{Path: path.Join(directory.Path, name)}
		entry.Status, err = sys.Stat(int(opened.Fd()), name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, nil, &os.PathError{Op: "stat", Path: entry.Path, Err: err}
		case entry.Status.MountID != w.mount:
		case entry.Status.Type() == syscall.S_IFDIR:
			below = append(below, entry)
		case w.changed(entry):
			found = append(found, entry)
		}
	}
	return found, below, nil
}

func (w *walk) changed(entry Entry) bool { return entry.Status.Changed.After(w.root.Since) }
