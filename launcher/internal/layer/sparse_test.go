package layer

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

const hole = 1 << 30

// sparse makes a file of holes with a piece of data at each offset.
func sparse(t *testing.T, path string, size int64, offsets ...int64) {
	t.Helper()
	file, err := os.Create(path)
	must(t, err, file.Truncate(size))
	for _, offset := range offsets {
		_, err := file.WriteAt([]byte("data"), offset)
		must(t, err)
	}
	must(t, file.Close())
}

// archived is an archive of the entries below a root.
func archived(t *testing.T, root string, entries []Entry) *bytes.Buffer {
	t.Helper()
	archive := new(bytes.Buffer)
	stream := tar.NewWriter(archive)
	must(t, Archive(stream, root, entries), stream.Close())
	return archive
}

func scanned(t *testing.T, root string) []Entry {
	t.Helper()
	entries, err := Scan(Root{Path: root})
	must(t, err)
	return entries
}

func TestHolesStayHoles(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	sparse(t, from+"/middle", 3*hole, hole, 2*hole)
	sparse(t, from+"/ends", hole+4, 0, hole)
	sparse(t, from+"/empty", hole)
	must(t, os.Link(from+"/middle", from+"/same"))
	archive := archived(t, from, scanned(t, from))
	if archive.Len() > 1<<20 {
		t.Fatalf("the archive has %d bytes", archive.Len())
	}
	must(t, Extract(renamed(t, archive, from, to), []Root{{Path: to}}))
	for name, want := range map[string]struct{ size, at int64 }{
		"middle": {3 * hole, 2 * hole}, "ends": {hole + 4, hole}, "empty": {hole, -1}, "same": {3 * hole, hole},
	} {
		var status syscall.Stat_t
		must(t, syscall.Stat(to+"/"+name, &status))
		if status.Size != want.size || status.Blocks*512 > 1<<20 {
			t.Errorf("%s has %d bytes in %d blocks", name, status.Size, status.Blocks)
		}
		if got := piece(t, to+"/"+name, want.at); want.at >= 0 && got != "data" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func piece(t *testing.T, path string, offset int64) string {
	t.Helper()
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	content := make([]byte, 4)
	_, err = file.ReadAt(content, max(offset, 0))
	must(t, err)
	return string(content)
}

func TestALayoutIsReadAsItIsWritten(t *testing.T) {
	want := []extent{{0, 5}, {5, 1}, {90, 10}}
	size, extents, err := parseLayout(layout(100, want))
	if err != nil || size != 100 || fmt.Sprint(extents) != fmt.Sprint(want) {
		t.Errorf("%d %v %v", size, extents, err)
	}
}

func TestAHostileLayoutIsRefused(t *testing.T) {
	root := t.TempDir()
	for _, text := range []string{
		"", "-1", "x", "4 0", "3 0 4", "9 -1 4", "9 5 4 0 4", "9 0 4 3 1", "9 4 0 4 4", "9 0 2", "4 9223372036854775807 4",
		"9223372036854775808 0 4", "9 1 9223372036854775807", "99999" + strings.Repeat(" 1 1", mostExtents+1),
	} {
		header := tar.Header{Typeflag: typeSparse, Name: root[1:] + "/x", Size: 4}
		if text != "" {
			header.PAXRecords = map[string]string{extentsRecord: text}
		}
		var buffer bytes.Buffer
		stream := tar.NewWriter(&buffer)
		must(t, stream.WriteHeader(&header))
		_, err := stream.Write([]byte("evil"))
		must(t, err, stream.Close())
		if err := Extract(tar.NewReader(&buffer), []Root{{Path: root}}); err == nil || !strings.Contains(err.Error(), "at most 10000") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestAFileInTooManyPiecesEndsInOne(t *testing.T) {
	const step = 1 << 16
	path := t.TempDir() + "/file"
	sparse(t, path, (mostExtents+10)*step)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer file.Close()
	for i := range int64(mostExtents + 10) {
		_, err := file.WriteAt([]byte("data"), i*step)
		must(t, err)
	}
	extents, err := extentsOf(file, (mostExtents+10)*step)
	must(t, err)
	last := extents[len(extents)-1]
	if len(extents) != mostExtents || last.offset+last.length != (mostExtents+10)*step {
		t.Errorf("%d, the last %v", len(extents), last)
	}
}

func TestWhatAnotherContainerRemovesMeanwhileIsLeftOut(t *testing.T) {
	takesRoot(t)
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{"gone", "kept", "now-a-directory", "now-a-link", "tree/gone", "tree-link/gone"} {
		write(t, from+"/"+name, "content")
	}
	must(t, os.Link(from+"/gone", from+"/second-name"), os.Symlink("kept", from+"/link"))
	entries := scanned(t, from)
	must(t,
		os.Remove(from+"/gone"), os.Remove(from+"/link"), os.RemoveAll(from+"/tree"),
		os.Remove(from+"/now-a-directory"), os.Mkdir(from+"/now-a-directory", 0o755),
		os.Remove(from+"/now-a-link"), os.Symlink("kept", from+"/now-a-link"),
		os.RemoveAll(from+"/tree-link"), os.Symlink("tree", from+"/tree-link"),
	)
	must(t, Extract(renamed(t, archived(t, from, entries), from, to), []Root{{Path: to}}))
	var names []string
	for _, entry := range scanned(t, to) {
		names = append(names, entry.Path)
	}
	if got := strings.Join(names, " "); got != ". kept second-name tree tree-link" {
		t.Error(got)
	}
	if read(t, to+"/second-name") != "content" {
		t.Error("the second name of a removed file lost the content")
	}
}

func TestAFileThatAnotherHasReplacedIsThatOne(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, from+"/file", "old")
	must(t, os.Link(from+"/file", from+"/second-name"))
	entries := scanned(t, from)
	write(t, from+"/next", "new and longer")
	must(t, os.Rename(from+"/next", from+"/file"))
	must(t, Extract(renamed(t, archived(t, from, entries), from, to), []Root{{Path: to}}))
	if read(t, to+"/file") != "new and longer" || read(t, to+"/second-name") != "old" {
		t.Errorf("%q %q", read(t, to+"/file"), read(t, to+"/second-name"))
	}
}

func TestAFileThatIsCutOffWhileItIsReadEndsInZeros(t *testing.T) {
	var got bytes.Buffer
	must(t, copyExtent(&got, strings.NewReader("0123456"), extent{2, 8}))
	if got.String() != "23456\x00\x00\x00" {
		t.Errorf("%q", got.String())
	}
}

func TestADirectoryThatGoesDuringTheScanIsLeftOut(t *testing.T) {
	root := t.TempDir()
	base, err := os.Open(root)
	must(t, err)
	defer base.Close()
	scan := walk{root: Root{Path: root}, base: int(base.Fd())}
	must(t, os.Symlink("/", root+"/now-a-link"))
	for _, name := range []string{"gone", "now-a-link"} {
		if found, below, err := scan.list(Entry{Path: name}); err != nil || found != nil || below != nil {
			t.Errorf("%s: %v %v %v", name, found, below, err)
		}
	}
}
