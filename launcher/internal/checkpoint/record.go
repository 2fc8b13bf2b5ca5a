// Package checkpoint takes and restores a whole image: CRIU's, the changed files, and what the launcher must know.
package checkpoint

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"ergosphere.dev/launcher/internal/program"
)

// The launcher's own files in an image directory, beside CRIU's.
const (
	recordName = "launcher.json"
	filesName  = "files.tar"
	keptName   = "kept.tar"
	version    = 1
)

// Record is what the launcher must know of a program to take it up again.
type Record struct {
	Version int          `json:"version"`
	Root    int          `json:"root"`
	User    program.User `json:"user"`
	// Stdout and Stderr are the inodes of the program's pipes where it was dumped.
	Stdout uint64 `json:"stdout"`
	Stderr uint64 `json:"stderr"`
	// Volumes are the files on volumes that the program was writing.
	Volumes []VolumeFile `json:"volumes"`
	// Job is the UID of the job that the program was cut in. Older records have none.
	Job string `json:"job,omitempty"`
	// Directory is where the program saved its own state before it ended. The image then holds that and no process.
	Directory string `json:"directory,omitempty"`
}

// WriteRecord puts a record into an image directory.
func WriteRecord(dir string, record Record) error {
	record.Version = version
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, recordName), text, 0o600)
}

// ReadRecord reads the record of an image directory.
func ReadRecord(dir string) (Record, error) {
	text, err := os.ReadFile(filepath.Join(dir, recordName))
	if err != nil {
		return Record{}, err
	}
	var record Record
	if err := json.Unmarshal(text, &record); err != nil {
		return Record{}, fmt.Errorf("%s: %w", recordName, err)
	}
	if record.Version != version {
		return Record{}, fmt.Errorf("%s has version %d; this launcher reads version %d", recordName, record.Version, version)
	}
	if record.Directory == "" && record.Root <= 1 {
		return Record{}, fmt.Errorf("%s names %d as the program's process", recordName, record.Root)
	}
	return record, nil
}
