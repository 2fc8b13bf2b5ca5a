package main

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/layer"
)

// Every container has this mount. The template may have put a volume there.
const sharedMemory = "/dev/shm"

// clockSlack covers that the kernel stamps files with a clock that is up to a tick behind.
const clockSlack = 20 * time.Millisecond

// carriedRoots are the trees that travel with the program, each once: what changes from now on in the container's own
// layer, its shared memory, and all that is in the given directories.
func carriedRoots(carry []string) ([]layer.Root, error) {
	roots := []layer.Root{{Path: "/", Since: time.Now().Add(-clockSlack)}}
	paths := append([]string{sharedMemory}, carry...)
	for i, path := range paths {
		if slices.Contains(paths[:i], path) {
			continue
		}
		readOnly, err := isReadOnly(path)
		if err != nil {
			return nil, err
		}
		roots = append(roots, layer.Root{Path: path, ReadOnly: readOnly})
	}
	return roots, nil
}

// isReadOnly says whether the mount that a path is on cannot be written to. One that is not there can be made.
func isReadOnly(path string) (bool, error) {
	const readOnly = 1
	var found syscall.Statfs_t
	err := syscall.Statfs(path, &found)
	if errors.Is(err, syscall.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look at %s: %w", path, err)
	}
	return found.Flags&readOnly != 0, nil
}
