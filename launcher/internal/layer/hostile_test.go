package layer

import (
	"archive/tar"
	"bytes"
	"os"
	"strings"
	"testing"
)

func archiveOf(t *testing.T, headers ...tar.Header) *tar.Reader {
	t.Helper()
	var buffer bytes.Buffer
	stream := tar.NewWriter(&buffer)
	for _, header := range headers {
		header.Uid, header.Gid = os.Getuid(), os.Getgid()
		hasContent := header.Typeflag == tar.TypeReg || header.Typeflag == typeListed
		if hasContent {
			header.Size = 4
		}
		must(t, stream.WriteHeader(&header))
		if hasContent {
			_, err := stream.Write([]byte("evil"))
			must(t, err)
		}
	}
	must(t, stream.Close())
	return tar.NewReader(&buffer)
}

func evil(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }

func TestAHostileArchiveCannotLeaveItsRoot(t *testing.T) {
	inside, outside := t.TempDir(), t.TempDir()
	in, out := inside[1:], outside[1:]
	dots := strings.Repeat("../", 20)
	for name, headers := range map[string][]tar.Header{
		"another place":         {evil(out + "/x")},
		"dots":                  {evil(in + "/../" + out + "/x")},
		"many dots":             {evil(in + "/" + dots + out + "/x")},
		"an absolute name":      {evil("/" + out + "/x")},
		"an own link":           {{Typeflag: tar.TypeSymlink, Name: in + "/l", Linkname: outside}, evil(in + "/l/x")},
		"an own link with dots": {{Typeflag: tar.TypeSymlink, Name: in + "/l", Linkname: dots + out}, evil(in + "/l/x")},
		"a hard link":           {{Typeflag: tar.TypeLink, Name: in + "/x", Linkname: out + "/secret"}},
		"a hard link by dots":   {{Typeflag: tar.TypeLink, Name: in + "/x", Linkname: in + "/" + dots + out + "/secret"}},
		"a link as a directory": {
			{Typeflag: tar.TypeDir, Name: in + "/d/", Mode: 0o755},
			{Typeflag: tar.TypeSymlink, Name: in + "/d", Linkname: outside},
		},
		"a list of another place": {{Typeflag: typeListed, Name: out + "/"}},
		"a list by dots":          {{Typeflag: typeListed, Name: in + "/" + dots + out + "/"}},
		"a list for a link": {
			{Typeflag: typeListed, Name: in + "/d/", Mode: 0o755},
			{Typeflag: tar.TypeSymlink, Name: in + "/d", Linkname: outside},
		},
		"a root as a file": {evil(in)},
		"a device":         {{Typeflag: tar.TypeChar, Name: in + "/null", Devmajor: 1, Devminor: 3}},
		"a process":        {evil("proc/self/comm")},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.RemoveAll(inside), os.RemoveAll(outside), os.Mkdir(inside, 0o755), os.Mkdir(outside, 0o755))
			write(t, outside+"/secret", "secret")
			if err := Extract(archiveOf(t, headers...), []Root{{Path: inside}}); err == nil {
				t.Error("it was extracted")
			}
			if names, err := os.ReadDir(outside); err != nil || len(names) != 1 || read(t, outside+"/secret") != "secret" {
				t.Errorf("%v %v", names, err)
			}
		})
	}
}

func TestLinksThatWaitInTheImageAreNotFollowed(t *testing.T) {
	takesRoot(t)
	inside, outside := t.TempDir(), t.TempDir()
	in := inside[1:]
	write(t, outside+"/secret", "secret")
	must(t, os.Symlink(outside, inside+"/dir"), os.Symlink(outside+"/secret", inside+"/file"))
	headers := []tar.Header{
		{Typeflag: tar.TypeDir, Name: in + "/dir/", Mode: 0o700}, evil(in + "/dir/secret"), evil(in + "/file"),
	}
	must(t, Extract(archiveOf(t, headers...), []Root{{Path: inside}}))
	if read(t, outside+"/secret") != "secret" || read(t, inside+"/file") != "evil" || read(t, inside+"/dir/secret") != "evil" {
		t.Error("a link was followed")
	}
	if status, err := os.Stat(outside); err != nil || status.Mode().Perm() == 0o700 {
		t.Errorf("%v %v", status.Mode(), err)
	}
}

func TestADamagedArchiveIsAnError(t *testing.T) {
	for _, content := range []string{strings.Repeat("not a header", 100), "short"} {
		if err := Extract(tar.NewReader(strings.NewReader(content)), []Root{{Path: t.TempDir()}}); err == nil {
			t.Error("it was extracted")
		}
	}
}

func FuzzNamesStayLocal(f *testing.F) {
	for _, name := range []string{"a/b", "../a", "a/../b", "/a", "", ".", "a//b", "a/.", "..a"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if isLocal(name) && (strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../")) {
			t.Errorf("%q", name)
		}
	})
}
