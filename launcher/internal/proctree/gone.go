package proctree

import (
	"errors"
	"syscall"
)

// isGone recognises the error of reading a file under /proc of a process that has ended meanwhile.
func isGone(err error) bool { return errors.Is(err, syscall.ESRCH) }
