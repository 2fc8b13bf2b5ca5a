package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/layer"
	"ergosphere.dev/launcher/internal/sys"
)

// VolumeFile is a file that does not move with the program, and its size when the program was cut.
type VolumeFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// onVolumes picks out the files that the program was writing and that no root carries.
func onVolumes(open []criu.File, roots []layer.Root) ([]VolumeFile, error) {
	volumes := []VolumeFile{}
	for _, file := range open {
		if !file.Writable || strings.HasPrefix(file.Path, "/ergosphere/") {
			continue
		}
		status, err := sys.Stat(sys.AtFdcwd, file.Path)
		// Names that are gone are CRIU's business.
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		carried, err := isCarried(file.Path, roots)
		if err != nil {
			return nil, err
		}
		if !carried && status.Type() == syscall.S_IFREG {
			volumes = append(volumes, VolumeFile{file.Path, int64(status.Size)})
		}
	}
	return volumes, nil
}

func isCarried(path string, roots []layer.Root) (bool, error) {
	for _, root := range roots {
		if _, found, err := layer.Find(root, path); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// cutBack gives files that have grown since the cut, such as a log, the size that they had: the program writes
// the rest again, and CRIU may insist on the size. What is missing or shorter is left for CRIU to refuse.
func cutBack(files []VolumeFile) error {
	for _, file := range files {
		status, err := sys.Stat(sys.AtFdcwd, file.Path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && int64(status.Size) <= file.Size {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file.Path, err)
		}
		opened, err := sys.OpenExactly(file.Path, syscall.O_WRONLY|syscall.O_NONBLOCK)
		if err != nil {
			return err
		}
		if err := errors.Join(opened.Truncate(file.Size), opened.Close()); err != nil {
			return err
		}
	}
	return nil
}
