package sys

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"
)

const (
	sysOpenat2 = 437
	oPath      = 0x200000

	resolveNoXdev     = 0x01
	resolveNoMagic    = 0x02
	resolveNoSymlinks = 0x04
	resolveBeneath    = 0x08
)

type openHow struct {
	flags, mode, resolve uint64
}

// OpenBeneath opens a path below a directory: it leaves neither that directory nor its file system, and passes
// through no symbolic link, whoever placed it.
func OpenBeneath(directory int, path string, flags int, mode uint32) (*os.File, error) {
	return openat2(directory, path, flags, mode, resolveNoXdev|resolveNoMagic|resolveNoSymlinks|resolveBeneath)
}

// OpenExactly opens an absolute path that has no symbolic link in it, on whatever mount it lies.
func OpenExactly(path string, flags int) (*os.File, error) {
	return openat2(AtFdcwd, path, flags, 0, resolveNoMagic|resolveNoSymlinks)
}

func openat2(directory int, path string, flags int, mode uint32, resolve uint64) (*os.File, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return nil, err
	}
	how := openHow{flags: uint64(flags | syscall.O_CLOEXEC), mode: uint64(mode), resolve: resolve}
	for {
		descriptor, _, errno := syscall.Syscall6(sysOpenat2, uintptr(directory), uintptr(unsafe.Pointer(name)),
			uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how), 0, 0)
		switch {
		case errno == 0:
			return os.NewFile(descriptor, path), nil
		case !errors.Is(errno, syscall.EINTR) && !errors.Is(errno, syscall.EAGAIN):
			return nil, &os.PathError{Op: "open", Path: path, Err: errno}
		}
	}
}

// OpenDirectory opens a directory for use as the base of OpenBeneath and its kin.
func OpenDirectory(path string) (*os.File, error) {
	return os.OpenFile(path, oPath|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
}

// OpenDirectoryBeneath is OpenBeneath for a directory that is only walked through.
func OpenDirectoryBeneath(directory int, path string) (*os.File, error) {
	return OpenBeneath(directory, path, oPath|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
}

//go:uintptrescapes
func at(number uintptr, directory int, path string, arguments ...uintptr) error {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	var rest [4]uintptr
	copy(rest[:], arguments)
	_, _, errno := syscall.Syscall6(number, uintptr(directory), uintptr(unsafe.Pointer(name)),
		rest[0], rest[1], rest[2], rest[3])
	if errno != 0 {
		return errno
	}
	return nil
}

// Symlink makes a symbolic link called name in a directory.
func Symlink(target string, directory int, name string) error {
	text, err := syscall.BytePtrFromString(target)
	if err != nil {
		return err
	}
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	_, _, errno := syscall.Syscall(syscall.SYS_SYMLINKAT,
		uintptr(unsafe.Pointer(text)), uintptr(directory), uintptr(unsafe.Pointer(path)))
	if errno != 0 {
		return errno
	}
	return nil
}

// Link makes a second name for a file.
func Link(oldDirectory int, oldName string, newDirectory int, newName string) error {
	name, err := syscall.BytePtrFromString(newName)
	if err != nil {
		return err
	}
	return at(syscall.SYS_LINKAT, oldDirectory, oldName, uintptr(newDirectory), uintptr(unsafe.Pointer(name)), 0)
}

// MakeDirectory makes a directory called name in a directory.
func MakeDirectory(directory int, name string, mode uint32) error {
	return at(syscall.SYS_MKDIRAT, directory, name, uintptr(mode))
}

// MakePipe makes a named pipe.
func MakePipe(directory int, name string, mode uint32) error {
	return at(syscall.SYS_MKNODAT, directory, name, uintptr(mode|syscall.S_IFIFO), 0)
}

// Remove removes a file that is no directory.
func Remove(directory int, name string) error {
	return at(syscall.SYS_UNLINKAT, directory, name, 0)
}

// SetOwner changes whom a file belongs to, and not what a symbolic link points at.
func SetOwner(directory int, name string, uid, gid uint32) error {
	return at(syscall.SYS_FCHOWNAT, directory, name, uintptr(uid), uintptr(gid), AtSymlinkNofollow)
}

// SetMode changes a file's permission bits. The file must not be a symbolic link.
func SetMode(directory int, name string, mode uint32) error {
	return at(syscall.SYS_FCHMODAT, directory, name, uintptr(mode))
}

// SetModified changes a file's time of modification, and not that of what a symbolic link points at.
func SetModified(directory int, name string, modified time.Time) error {
	stamp := [2]syscall.Timespec{
		syscall.NsecToTimespec(modified.UnixNano()), syscall.NsecToTimespec(modified.UnixNano())}
	return at(syscall.SYS_UTIMENSAT, directory, name, uintptr(unsafe.Pointer(&stamp[0])), AtSymlinkNofollow)
}

// RemoveDirectory removes an empty directory.
func RemoveDirectory(directory int, name string) error {
	const atRemoveDirectory = 0x200
	return at(syscall.SYS_UNLINKAT, directory, name, atRemoveDirectory)
}
