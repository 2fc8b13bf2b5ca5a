package layer

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// must fails the test at the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// takesRoot leaves out a test of what only root may do: giving a directory to another user, reading what nobody may.
func takesRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("giving directories to other users takes root")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644))
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return string(content)
}

// transfer archives what is below one directory as if it were the other, and extracts it there.
func transfer(t *testing.T, from, to string) {
	t.Helper()
	entries, err := Scan(Root{Path: from})
	must(t, err)
	var archive bytes.Buffer
	stream := tar.NewWriter(&archive)
	must(t, Archive(stream, from, entries), stream.Close())
	must(t, Extract(renamed(t, &archive, from, to), []Root{{Path: to}}))
}

// renamed gives the files of an archive another root.
func renamed(t *testing.T, archive *bytes.Buffer, from, to string) *tar.Reader {
	t.Helper()
	var result bytes.Buffer
	source, target := tar.NewReader(archive), tar.NewWriter(&result)
	for {
		header, err := source.Next()
		if err != nil {
			break
		}
		content := new(bytes.Buffer)
		_, err = content.ReadFrom(source)
		must(t, err)
		header.Name = to[1:] + header.Name[len(from)-1:]
		if header.Typeflag == tar.TypeLink {
			header.Linkname = to[1:] + header.Linkname[len(from)-1:]
		}
		must(t, target.WriteHeader(header))
		_, err = target.Write(content.Bytes())
		must(t, err)
	}
	must(t, target.Close())
	return tar.NewReader(&result)
}

func TestATreeArrivesAsItWas(t *testing.T) {
	takesRoot(t)
	from, to := t.TempDir(), t.TempDir()
	stamp := time.Unix(1_000_000_000, 123_456_000)
	write(t, from+"/a/file", "content")
	write(t, from+"/a/empty", "")
	must(t,
		os.Symlink("/nowhere/in particular", from+"/a/link"),
		os.Link(from+"/a/file", from+"/z-same"),
		syscall.Mkfifo(from+"/fifo", 0o600),
		os.Mkdir(from+"/locked", 0o700),
		os.Chmod(from+"/a/file", 0o640),
		os.Chmod(from+"/locked", 0o000),
		os.Chmod(from+"/fifo", 0o620),
		os.Chtimes(from+"/a/file", stamp, stamp),
		os.Chtimes(from+"/a", stamp, stamp),
	)
	transfer(t, from, to)
	if got := read(t, to+"/a/file"); got != "content" {
		t.Errorf("%q", got)
	}
	for path, mode := range map[string]os.FileMode{
		"a/file": 0o640, "a/empty": 0o644, "fifo": 0o620 | os.ModeNamedPipe, "locked": os.ModeDir, "a": 0o755 | os.ModeDir,
	} {
		status, err := os.Lstat(filepath.Join(to, path))
		must(t, err)
		if status.Mode() != mode {
			t.Errorf("%s has mode %v", path, status.Mode())
		}
		if (path == "a" || path == "a/file") && !status.ModTime().Equal(stamp) {
			t.Errorf("%s was changed %v", path, status.ModTime())
		}
	}
	if target, err := os.Readlink(to + "/a/link"); err != nil || target != "/nowhere/in particular" {
		t.Errorf("%q %v", target, err)
	}
	one, err := os.Stat(to + "/a/file")
	must(t, err)
	other, err := os.Stat(to + "/z-same")
	must(t, err)
	if !os.SameFile(one, other) {
		t.Error("two names of one file became two files")
	}
}

func TestOnlyWhatHasChangedIsFound(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/old/file", "")
	write(t, root+"/old/touched", "")
	since := changed(t, root+"/old/touched")
	for !changed(t, root+"/old").After(since) { // the kernel's clock ticks
		must(t, os.Chmod(root+"/old", 0o755))
	}
	must(t, os.Chmod(root+"/old/touched", 0o600))
	entries, err := Scan(Root{Path: root, Since: since})
	must(t, err)
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Path)
	}
	if !slices.Equal(found, []string{"old", "old/touched"}) {
		t.Error(found)
	}
}

func changed(t *testing.T, path string) time.Time {
	t.Helper()
	var status syscall.Stat_t
	must(t, syscall.Stat(path, &status))
	return time.Unix(status.Ctim.Sec, status.Ctim.Nsec)
}

func TestWhatWasRemovedIsRemovedThereToo(t *testing.T) {
	takesRoot(t)
	from, to := t.TempDir(), t.TempDir()
	for _, root := range []string{from, to} {
		write(t, root+"/etc/kept", "")
		write(t, root+"/etc/removed", "")
		write(t, root+"/etc/tree/removed/too", "")
		write(t, root+"/removed", "")
	}
	must(t, os.Remove(from+"/etc/removed"), os.RemoveAll(from+"/etc/tree"), os.Remove(from+"/removed"))
	transfer(t, from, to)
	for _, directory := range []struct{ path, name string }{{to, "etc"}, {to + "/etc", "kept"}} {
		names, err := os.ReadDir(directory.path)
		must(t, err)
		if len(names) != 1 || names[0].Name() != directory.name {
			t.Error(names)
		}
	}
}

func TestAnArchiveThatListsNoNamesRemovesNothing(t *testing.T) {
	takesRoot(t)
	from, to := t.TempDir(), t.TempDir()
	write(t, filepath.Join(from, "d/new"), "new")
	write(t, filepath.Join(to, "d/old"), "old")
	entries, err := Scan(Root{Path: from})
	must(t, err)
	for i := range entries {
		entries[i].Names = nil
	}
	var archive bytes.Buffer
	stream := tar.NewWriter(&archive)
	must(t, Archive(stream, from, entries), stream.Close())
	must(t, Extract(renamed(t, &archive, from, to), []Root{{Path: to}}))
	if read(t, filepath.Join(to, "d/new")) != "new" || read(t, filepath.Join(to, "d/old")) != "old" {
		t.Error("the two were not laid over each other")
	}
}

func TestAReadOnlyRootStaysAsTheNewPodHasIt(t *testing.T) {
	from, root := t.TempDir(), t.TempDir()
	write(t, filepath.Join(from, "changed"), "layer")
	write(t, filepath.Join(from, "weights/file"), "old pod's")
	write(t, filepath.Join(root, "weights/file"), "new pod's")
	write(t, filepath.Join(root, "weights/more"), "new pod's")
	entries, err := Scan(Root{Path: from})
	must(t, err)
	var archive bytes.Buffer
	stream := tar.NewWriter(&archive)
	must(t, Archive(stream, from, entries), stream.Close())
	roots := []Root{{Path: root}, {Path: root + "/weights", ReadOnly: true}}
	must(t, Extract(renamed(t, &archive, from, root), roots))
	for name, want := range map[string]string{"changed": "layer", "weights/file": "new pod's", "weights/more": "new pod's"} {
		if got := read(t, filepath.Join(root, name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWhatChangedItsKindIsReplaced(t *testing.T) {
	takesRoot(t)
	from, to := t.TempDir(), t.TempDir()
	write(t, from+"/file", "now a file")
	write(t, to+"/file/was/a/directory", "")
	write(t, from+"/directory/now", "")
	write(t, to+"/directory", "was a file")
	transfer(t, from, to)
	if read(t, to+"/file") != "now a file" || read(t, to+"/directory/now") != "" {
		t.Error("it is not")
	}
}

func TestFindTellsWhatIsBelowARoot(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/a/b", "")
	if entry, found, err := Find(Root{Path: root}, root+"/a/b"); err != nil || !found || entry.Path != "a/b" {
		t.Errorf("%+v %v %v", entry, found, err)
	}
	for _, other := range []struct{ root, path string }{
		{root, "/proc/version"}, {"/", "/proc/version"}, {root + "/none", root + "/none/x"},
	} {
		if _, found, err := Find(Root{Path: other.root}, other.path); err != nil || found {
			t.Errorf("%v: %v %v", other, found, err)
		}
	}
}
