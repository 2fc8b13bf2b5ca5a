package checkpoint

import (
	"archive/tar"
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"ergosphere.dev/launcher/internal/layer"
	"ergosphere.dev/launcher/internal/protocol"
)

// scan is a search for changed files that goes on beside other work.
type scan struct {
	root   layer.Root
	result chan scanned
}

type scanned struct {
	entries []layer.Entry
	err     error
}

// scanAll begins to look for the changed files of all roots that files can be put back in.
func scanAll(roots []layer.Root) []scan {
	scans := []scan{}
	for _, root := range roots {
		if root.ReadOnly {
			continue
		}
		result := make(chan scanned, 1)
		scans = append(scans, scan{root, result})
		go func() {
			entries, err := layer.Scan(root)
			result <- scanned{entries, err}
		}()
	}
	return scans
}

// archive writes what the scans find to a tar file, and with it the links that CRIU made since they began.
func archive(name string, scans []scan, links []string) error {
	placed, err := place(scans, links)
	if err != nil {
		return err
	}
	return writeTar(name, func(stream *tar.Writer) error {
		for _, scan := range scans {
			found := <-scan.result
			if errors.Is(found.err, fs.ErrNotExist) {
				continue
			}
			err := found.err
			if err == nil {
				err = layer.Archive(stream, scan.root.Path, append(found.entries, placed[scan.root.Path]...))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// writeTar makes a tar file of what is written to its stream.
func writeTar(name string, write func(*tar.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(file, 1<<20)
	stream := tar.NewWriter(buffer)
	if err := write(stream); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(stream.Close(), buffer.Flush(), file.Close())
}

// place finds the root of each link. One on a volume would be gone when the program is restored elsewhere.
func place(scans []scan, links []string) (map[string][]layer.Entry, error) {
	placed := map[string][]layer.Entry{}
	for _, link := range links {
		home := ""
		for _, scan := range scans {
			entry, found, err := layer.Find(scan.root, link)
			if err != nil {
				return nil, err
			}
			if found {
				home = scan.root.Path
				placed[home] = append(placed[home], entry)
			}
		}
		if home == "" {
			return nil, protocol.Failed("RemovedFileOnVolume",
				"the program holds a file open in %s, on a volume, whose name was removed", filepath.Dir(link))
		}
	}
	return placed, nil
}
