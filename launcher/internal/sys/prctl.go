// Package sys holds the Linux system calls that the standard library does not wrap.
package sys

import (
	"syscall"
	"unsafe"
)

// The prctl options and personality flags used here, from linux/prctl.h and linux/personality.h.
const (
	prSetDumpable       = 4
	prCapbsetRead       = 23
	prCapbsetDrop       = 24
	prSetChildSubreaper = 36
	prSetNoNewPrivs     = 38
	prCapAmbient        = 47
	prCapAmbientClear   = 4

	addrNoRandomize      = 0x0040000
	personalityQuery     = 0xffffffff
	capabilityVersion3   = 0x20080522
	highestCapabilityNum = 63
)

func prctl(option, arg2, arg3 uintptr) (uintptr, error) {
	value, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, arg2, arg3, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return value, nil
}

// SetUndumpable keeps processes without CAP_SYS_PTRACE from attaching to this one or reading its memory.
func SetUndumpable() error {
	_, err := prctl(prSetDumpable, 0, 0)
	return err
}

// SetChildSubreaper makes orphaned descendants of this process its children.
func SetChildSubreaper() error {
	_, err := prctl(prSetChildSubreaper, 1, 0)
	return err
}

// SetNoNewPrivs keeps the calling thread, and whatever it executes, from ever gaining privileges.
func SetNoNewPrivs() error {
	_, err := prctl(prSetNoNewPrivs, 1, 0)
	return err
}

// DisableAddressRandomization makes the next program that the calling thread executes lay out its memory
// the same way each time.
func DisableAddressRandomization() error {
	current, _, errno := syscall.RawSyscall(syscall.SYS_PERSONALITY, personalityQuery, 0, 0)
	if errno != 0 {
		return errno
	}
	if _, _, errno = syscall.RawSyscall(syscall.SYS_PERSONALITY, current|addrNoRandomize, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// DropBoundingSet removes every capability from the calling thread's bounding set; it needs CAP_SETPCAP.
func DropBoundingSet() error {
	for capability := uintptr(0); capability <= highestCapabilityNum; capability++ {
		held, err := prctl(prCapbsetRead, capability, 0)
		if err == syscall.EINVAL {
			return nil
		}
		if err != nil {
			return err
		}
		if held == 0 {
			continue
		}
		if _, err := prctl(prCapbsetDrop, capability, 0); err != nil {
			return err
		}
	}
	return nil
}

type capabilityHeader struct {
	version uint32
	pid     int32
}

type capabilityData struct {
	effective, permitted, inheritable uint32
}

// DropCapabilities empties the calling thread's ambient, effective, permitted and inheritable sets.
func DropCapabilities() error {
	if _, err := prctl(prCapAmbient, prCapAmbientClear, 0); err != nil {
		return err
	}
	header := capabilityHeader{version: capabilityVersion3}
	var none [2]capabilityData
	_, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// SetIdentity gives the calling thread, and no other, a user, a group and supplementary groups.
func SetIdentity(uid, gid uint32, groups []uint32) error {
	var first unsafe.Pointer
	if len(groups) > 0 {
		first = unsafe.Pointer(&groups[0])
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(groups)), uintptr(first), 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
		return errno
	}
	return nil
}

// PermittedCapabilities is the calling thread's permitted set, a bit for each capability.
func PermittedCapabilities() (uint64, error) {
	header := capabilityHeader{version: capabilityVersion3}
	var held [2]capabilityData
	_, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&held[0])), 0)
	if errno != 0 {
		return 0, errno
	}
	return uint64(held[1].permitted)<<32 | uint64(held[0].permitted), nil
}
