package sys

import "syscall"

const (
	sysPidfdOpen  = 434
	sysPidfdGetfd = 438
)

// OpenProcess returns a descriptor of a process, which another that gets its number does not inherit.
func OpenProcess(pid int) (int, error) {
	process, _, errno := syscall.Syscall(sysPidfdOpen, uintptr(pid), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(process), nil
}

// CopyDescriptor makes a descriptor of what another process has open as one of its own. It needs CAP_SYS_PTRACE. It is a
// mere number, since a file of Go's would change how the other's may block.
func CopyDescriptor(process, descriptor int) (int, error) {
	copied, _, errno := syscall.Syscall(sysPidfdGetfd, uintptr(process), uintptr(descriptor), 0)
	if errno != 0 {
		return -1, errno
	}
	return int(copied), nil
}
