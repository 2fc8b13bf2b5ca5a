package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// guardID owns the run directory. No program of a user runs as it, so none without capabilities can enter.
const guardID = 64999

// install copies the launcher and CRIU to where the user's container sees them, and closes the run directory to
// the user's program. It may run again over its own work, while the files are in use.
func install(arguments []string) (int, error) {
	if len(arguments) != 3 {
		return 64, errors.New("needs three directories: from, to and run")
	}
	from, to, runPath := arguments[0], arguments[1], arguments[2]
	if err := copyTree(from, to); err != nil {
		return 1, err
	}
	for _, path := range []string{runPath, filepath.Join(runPath, "images")} {
		if err := closeDirectory(path); err != nil {
			return 1, err
		}
	}
	return 0, nil
}

// closeDirectory makes a directory that only guardID, and whoever may override permissions, can enter.
func closeDirectory(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	return os.Chown(path, guardID, guardID)
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			if err := os.MkdirAll(target, 0o755); err != nil {
				return err
			}
			return os.Chmod(target, 0o755)
		case entry.Type().IsRegular():
			return copyFile(path, target)
		}
		return fmt.Errorf("%s is neither a file nor a directory", path)
	})
}

// copyFile puts the copy in place at once: the old one may be running.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.CreateTemp(filepath.Dir(to), ".installing-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	err = errors.Join(err, target.Chmod(0o755), target.Close())
	if err == nil {
		err = os.Rename(target.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(target.Name()))
	}
	return nil
}
