package criu

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"ergosphere.dev/launcher/internal/sys"
)

// dated is the directory that the kubelet puts the files of a ConfigMap or Secret in. It has another name in each pod,
// and the link ..data leads to it.
var dated = regexp.MustCompile(`(^|/)\.\.[0-9]{4}(_[0-9]{2}){5}\.[0-9]+(/|$)`)

const present = "..data"

// FollowVolumes makes the image in dir name files of ConfigMaps and Secrets, such as the script that a shell has open,
// by where this pod has them. All of CRIU's other images refer to files.img for the names of such files.
func FollowVolumes(dir string) error {
	path := filepath.Join(dir, "files.img")
	image, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := false
	// Names keep their lengths, so that nothing around them has to be encoded again.
	err = eachRegular(image, func(name []byte, _ uint64) {
		if moved := undated(name); !bytes.Equal(moved, name) && !exists(name) && exists(moved) {
			copy(name, moved)
			changed = true
		}
	})
	if err != nil || !changed {
		return err
	}
	return replace(path, image)
}

// undated leads through the link, with as many slashes behind it as the directory's name is longer.
func undated(name []byte) []byte {
	return dated.ReplaceAllFunc(name, func(match []byte) []byte {
		link := append(bytes.Clone(match[:bytes.IndexByte(match, '.')]), present...)
		return append(link, bytes.Repeat([]byte("/"), len(match)-len(link))...)
	})
}

func exists(name []byte) bool {
	_, err := sys.Stat(sys.AtFdcwd, filepath.Join("/", string(name)))
	return !errors.Is(err, fs.ErrNotExist)
}

// replace leaves the old file as it is: the image may be one of several links to it.
func replace(path string, content []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
