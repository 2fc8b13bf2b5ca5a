package layer

import (
	"archive/tar"
	"fmt"
	"io"
	"strings"
)

const (
	// namesRecord is the extended header of a directory that lists what it holds, so that files of the image which
	// the program removed are removed again. A name cannot hold the separator.
	namesRecord    = "ERGOSPHERE.names"
	namesSeparator = "/"
	// typeListed is a type of our own: a directory whose list is its content. A launcher that does not know it refuses it.
	typeListed = 'H'
	// longestRecord leaves room for a path in the 1 MiB of extended headers that archive/tar reads and writes.
	longestRecord = 1000 << 10
	// longestNames bounds what is held in memory for one directory: some millions of names.
	longestNames = 64 << 20
)

var errNames = fmt.Errorf("the names of a directory's files are longer than %d bytes together", longestNames)

// addDirectory archives a directory, and the names of what it holds unless there are none to keep to.
func (w *writer) addDirectory(header *tar.Header, names []string) error {
	header.Typeflag = tar.TypeDir
	header.Name += "/"
	if names == nil {
		return w.tar.WriteHeader(header)
	}
	list := strings.Join(names, namesSeparator)
	if len(list) <= longestRecord {
		header.PAXRecords = map[string]string{namesRecord: list}
		return w.tar.WriteHeader(header)
	}
	if len(list) > longestNames {
		return errNames
	}
	header.Typeflag, header.Size = typeListed, int64(len(list))
	if err := w.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.WriteString(w.tar, list)
	return err
}

// takeNames takes the list of a directory out of the archive, and out of the header, since the headers are kept.
func takeNames(header *tar.Header, content io.Reader) (list string, listed bool, err error) {
	list, listed = header.PAXRecords[namesRecord]
	header.PAXRecords = nil
	if header.Typeflag != typeListed {
		return list, listed, nil
	}
	if header.Size > longestNames {
		return "", false, errNames
	}
	text, err := io.ReadAll(content)
	return string(text), true, err
}
