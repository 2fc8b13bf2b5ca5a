package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestADirectoryOfManyNamesArrivesAsItWas(t *testing.T) {
	takesRoot(t)
	const count = 40_000
	from, to := t.TempDir(), t.TempDir()
	write(t, from+"/many/one", "")
	for i := range count - 1 {
		must(t, os.Link(from+"/many/one", fmt.Sprintf("%s/many/a name of some length, number %d", from, i)))
	}
	write(t, to+"/many/removed", "")
	transfer(t, from, to)
	names, err := os.ReadDir(to + "/many")
	must(t, err)
	if len(names) != count {
		t.Errorf("%d names", len(names))
	}
	if _, err := os.Stat(to + "/many/removed"); err == nil {
		t.Error("what was removed is there")
	}
}

func TestAListOfNamesIsReadWhereverItIs(t *testing.T) {
	for _, header := range []tar.Header{
		{Typeflag: tar.TypeDir, PAXRecords: map[string]string{namesRecord: "evil"}},
		{Typeflag: typeListed},
		{Typeflag: typeListed, PAXRecords: map[string]string{namesRecord: "removed"}},
	} {
		root := t.TempDir()
		write(t, root+"/d/evil", "")
		write(t, root+"/d/removed", "")
		header.Name, header.Mode = root[1:]+"/d/", 0o755
		must(t, Extract(archiveOf(t, header), []Root{{Path: root}}))
		if names, err := os.ReadDir(root + "/d"); err != nil || len(names) != 1 || names[0].Name() != "evil" {
			t.Errorf("%v %v", names, err)
		}
	}
}

func TestTheLongestRecordFitsBesideTheLongestPath(t *testing.T) {
	var archive bytes.Buffer
	writer := writer{tar: tar.NewWriter(&archive)}
	path, name := strings.Repeat("d/", 2047)+"d", strings.Repeat("x", longestRecord)
	must(t, writer.addDirectory(&tar.Header{Name: path, Format: tar.FormatPAX}, []string{name}), writer.tar.Close())
	header, err := tar.NewReader(&archive).Next()
	must(t, err)
	if header.Typeflag != tar.TypeDir || header.PAXRecords[namesRecord] != name {
		t.Errorf("type %q, %d bytes", header.Typeflag, len(header.PAXRecords[namesRecord]))
	}
}

func TestAListOfNamesThatIsTooLongIsNotReadOrWritten(t *testing.T) {
	root := t.TempDir()
	var archive bytes.Buffer
	stream := tar.NewWriter(&archive)
	must(t, stream.WriteHeader(&tar.Header{Typeflag: typeListed, Name: root[1:] + "/d/", Size: longestNames + 1}))
	if err := Extract(tar.NewReader(&archive), []Root{{Path: root}}); !errors.Is(err, errNames) {
		t.Error(err)
	}
	writer := writer{tar: tar.NewWriter(&archive)}
	names := []string{strings.Repeat("x", longestNames), ""}
	if err := writer.addDirectory(&tar.Header{Name: "d"}, names); !errors.Is(err, errNames) {
		t.Error(err)
	}
}

func TestAListOfNamesThatEndsEarlyRemovesNothing(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/d/file", "")
	var archive bytes.Buffer
	stream := tar.NewWriter(&archive)
	must(t, stream.WriteHeader(&tar.Header{Typeflag: typeListed, Name: root[1:] + "/d/", Size: 1000}))
	if err := Extract(tar.NewReader(&archive), []Root{{Path: root}}); err == nil {
		t.Error("it was extracted")
	}
	if names, err := os.ReadDir(root + "/d"); err != nil || len(names) != 1 {
		t.Errorf("%v %v", names, err)
	}
}

func TestTheHeadersThatAreKeptHoldNoNames(t *testing.T) {
	header := &tar.Header{Typeflag: tar.TypeDir, PAXRecords: map[string]string{namesRecord: "a/b"}}
	list, listed, err := takeNames(header, nil)
	if list != "a/b" || !listed || err != nil || header.PAXRecords != nil {
		t.Errorf("%q %v %v, and %v is left", list, listed, err, header.PAXRecords)
	}
}
