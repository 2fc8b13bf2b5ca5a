package proctree

import (
	"errors"
	"io/fs"
	"syscall"
)

// isGone recognises the error of opening or reading a file under /proc of a process that has ended meanwhile.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }
