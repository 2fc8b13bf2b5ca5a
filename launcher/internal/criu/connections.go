package criu

import (
	"errors"
	"fmt"
	"syscall"

	"ergosphere.dev/launcher/internal/proctree"
	"ergosphere.dev/launcher/internal/sys"
)

// The socket option that takes a connection out of the kernel's hands, from linux/tcp.h. Off without a probe, the peer
// hears nothing of it.
const (
	tcpRepair           = 19
	tcpRepairOffNoProbe = -1
)

// ErrConnectionsLost says that a CRIU which was killed has left connections of the program in repair mode, and that they
// could not be taken out of it: whatever the program sends fails.
var ErrConnectionsLost = errors.New("the program's connections stay as CRIU left them, and let nothing pass")

// giveBackConnections takes all connections of a tree out of repair mode.
func giveBackConnections(root int) error {
	processes, err := proctree.List()
	for _, process := range proctree.Descendants(processes, root) {
		if failed := giveBackConnectionsOf(process.PID); failed != nil {
			err = errors.Join(err, fmt.Errorf("process %d (%s): %w", process.PID, process.Name, failed))
		}
	}
	if err != nil {
		return errors.Join(ErrConnectionsLost, err)
	}
	return nil
}

func giveBackConnectionsOf(pid int) error {
	process, err := sys.OpenProcess(pid)
	if err == syscall.ESRCH {
		return nil
	}
	if err != nil {
		return err
	}
	defer syscall.Close(process)
	sockets, err := proctree.Sockets(pid)
	for _, socket := range sockets {
		err = errors.Join(err, giveBackSocket(process, socket))
	}
	return err
}

func giveBackSocket(process, number int) error {
	socket, err := sys.CopyDescriptor(process, number)
	if err == syscall.ESRCH || err == syscall.EBADF {
		return nil
	}
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	// Whoever has a TCP socket may read this of it: what refuses is another kind of socket.
	if on, err := syscall.GetsockoptInt(socket, syscall.IPPROTO_TCP, tcpRepair); err != nil || on == 0 {
		return nil
	}
	if err := syscall.SetsockoptInt(socket, syscall.IPPROTO_TCP, tcpRepair, tcpRepairOffNoProbe); err != nil {
		return err
	}
	// Repair mode has taken the place of this. Without it a server could not open its port again while one of these is there.
	return syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
}
