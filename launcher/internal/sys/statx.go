package sys

import (
	"bytes"
	"syscall"
	"time"
	"unsafe"
)

const (
	statxBasicStats   = 0x7ff
	statxMountID      = 0x1000
	AtFdcwd           = -100
	AtSymlinkNofollow = 0x100
	AtEmptyPath       = 0x1000
)

type statxTimestamp struct {
	sec  int64
	nsec uint32
	_    int32
}

// statxBuffer is struct statx of linux/stat.h.
type statxBuffer struct {
	mask, blockSize            uint32
	attributes                 uint64
	links, uid, gid            uint32
	mode                       uint16
	_                          uint16
	inode, size, blocks        uint64
	attributesMask             uint64
	atime, btime, ctime, mtime statxTimestamp
	rdevMajor, rdevMinor       uint32
	deviceMajor, deviceMinor   uint32
	mountID                    uint64
	_                          [13]uint64
}

// FileStatus is what statx says of one file.
type FileStatus struct {
	Inode, Size, MountID uint64
	Device               [2]uint32
	Links, UID, GID      uint32
	Mode                 uint16
	Changed, Modified    time.Time
}

// Type is the file's type, as the S_IF constants have it.
func (s FileStatus) Type() uint32 { return uint32(s.Mode) & syscall.S_IFMT }

// Stat looks at a path below a directory without following a symbolic link at its end. An empty path means the
// directory itself.
func Stat(directory int, path string) (FileStatus, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return FileStatus{}, err
	}
	var buffer statxBuffer
	_, _, errno := syscall.Syscall6(sysStatx, uintptr(directory), uintptr(unsafe.Pointer(name)),
		AtSymlinkNofollow|AtEmptyPath, statxBasicStats|statxMountID, uintptr(unsafe.Pointer(&buffer)), 0)
	if errno != 0 {
		return FileStatus{}, errno
	}
	return FileStatus{
		Inode: buffer.inode, Size: buffer.size, MountID: buffer.mountID,
		Device: [2]uint32{buffer.deviceMajor, buffer.deviceMinor},
		Links:  buffer.links, UID: buffer.uid, GID: buffer.gid, Mode: buffer.mode,
		Changed:  time.Unix(buffer.ctime.sec, int64(buffer.ctime.nsec)),
		Modified: time.Unix(buffer.mtime.sec, int64(buffer.mtime.nsec)),
	}, nil
}

// ReadLink returns the target of the symbolic link at path below a directory.
func ReadLink(directory int, path string) (string, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return "", err
	}
	buffer := make([]byte, syscall.PathMax)
	size, _, errno := syscall.Syscall6(syscall.SYS_READLINKAT, uintptr(directory), uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)), 0, 0)
	if errno != 0 {
		return "", errno
	}
	return string(bytes.Clone(buffer[:size])), nil
}
