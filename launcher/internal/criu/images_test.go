package criu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func filesImage(t *testing.T, entries ...message) string {
	t.Helper()
	image := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	for _, entry := range entries {
		image = binary.LittleEndian.AppendUint32(image, uint32(len(entry)))
		image = append(image, entry...)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "files.img"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func regular(name string, flags uint64) message {
	return message{}.uint(1, 1).uint(2, 5).bytes(3, message{}.uint(1, 5).uint(2, flags).uint(3, 0).string(6, name))
}

func TestFilesOfAnImage(t *testing.T) {
	socket := message{}.uint(1, 2).uint(2, 6).bytes(4, message{}.uint(1, 6))
	dir := filesImage(t, regular("data/log", 0o2001), socket, regular("usr/lib/libc.so", 0), regular("tmp/link_remap.15", 0o2))
	files, err := Files(dir)
	want := []File{{"/data/log", true}, {"/usr/lib/libc.so", false}, {"/tmp/link_remap.15", true}}
	if err != nil || !reflect.DeepEqual(files, want) {
		t.Errorf("%+v %v", files, err)
	}
	if links := LinkRemaps(files); !reflect.DeepEqual(links, []string{"/tmp/link_remap.15"}) {
		t.Errorf("%v", links)
	}
}

func TestATruncatedImageIsAnError(t *testing.T) {
	dir := filesImage(t, regular("a", 0))
	path := filepath.Join(dir, "files.img")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 7, 10, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if files, err := Files(dir); err == nil {
			t.Errorf("%d bytes read as %v", size, files)
		}
	}
}

func TestFilesOfConfigMapsAreNamedByWhereThisPodHasThem(t *testing.T) {
	const old = "..2025_11_27_05_59_07.123456789"
	volume := t.TempDir()
	present := filepath.Join(volume, "..2025_11_27_06_00_00.1")
	if err := errors.Join(os.Mkdir(present, 0o755), os.Symlink(filepath.Base(present), volume+"/..data"),
		os.WriteFile(present+"/run.sh", nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	padding := strings.Repeat("/", len(old)-len("..data"))
	for name, want := range map[string]string{
		volume + "/" + old + "/run.sh":  volume + "/..data" + padding + "/run.sh",
		volume + "/" + old:              volume + "/..data" + padding,
		volume + "/" + old + "/gone.sh": volume + "/" + old + "/gone.sh",
		present + "/run.sh":             present + "/run.sh",
		volume + "/x" + old + "/run.sh": volume + "/x" + old + "/run.sh",
	} {
		dir := filesImage(t, regular("etc/passwd", 0), regular(name[1:], 0))
		if err := FollowVolumes(dir); err != nil {
			t.Fatal(err)
		}
		expected, err := os.ReadFile(filepath.Join(filesImage(t, regular("etc/passwd", 0), regular(want[1:], 0)), "files.img"))
		if err != nil {
			t.Fatal(err)
		}
		if image, err := os.ReadFile(filepath.Join(dir, "files.img")); err != nil || !bytes.Equal(image, expected) {
			t.Errorf("%s: %q %v", name, image, err)
		}
	}
}
