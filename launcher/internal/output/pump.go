// Package output carries a stream of the user's program to the container's log, byte for byte.
package output

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Pump copies one pipe to one destination. The program holds the pipe's other end.
type Pump struct {
	Inode    uint64
	source   *os.File
	writeEnd int
	done     chan struct{}
}

// New makes a pipe that belongs to a user, who may then open it by the name /dev/stdout too, and starts to copy what
// arrives in it.
func New(destination *os.File, owner int) (*Pump, error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return nil, err
	}
	var stat syscall.Stat_t
	err := syscall.Fstat(ends[0], &stat)
	if err == nil {
		// Only our end: the program's must block as any pipe does.
		err = syscall.SetNonblock(ends[0], true)
	}
	if err == nil {
		err = syscall.Fchown(ends[1], owner, -1)
	}
	if err != nil {
		return nil, errors.Join(err, syscall.Close(ends[0]), syscall.Close(ends[1]))
	}
	pump := &Pump{
		Inode:    stat.Ino,
		source:   os.NewFile(uintptr(ends[0]), "program output"),
		writeEnd: ends[1],
		done:     make(chan struct{}),
	}
	go pump.run(destination)
	return pump, nil
}

// WriteEnd is the descriptor to hand to the program.
func (p *Pump) WriteEnd() int { return p.writeEnd }

// CloseWriteEnd gives up our copy of the program's end, once the program has its own, so that its end is seen.
func (p *Pump) CloseWriteEnd() error { return syscall.Close(p.writeEnd) }

// Drain returns when all that the program has written is copied. The program must have ended: what a process
// that still holds the pipe writes later is lost.
func (p *Pump) Drain() error {
	err := p.source.SetReadDeadline(time.Now())
	<-p.done
	return err
}

func (p *Pump) run(destination *os.File) {
	defer close(p.done)
	buffer := make([]byte, 1<<16)
	for {
		size, err := p.source.Read(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			size, err = p.readAvailable(buffer)
		}
		if size > 0 && writeAll(destination, buffer[:size]) != nil {
			// Nobody reads the log any more. The program must not notice: keep emptying its pipe.
			destination = nil
		}
		if err != nil || size == 0 {
			return
		}
	}
}

// readAvailable reads what is in the pipe now, past the deadline; 0 bytes when there is nothing.
func (p *Pump) readAvailable(buffer []byte) (size int, err error) {
	raw, err := p.source.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(descriptor uintptr) {
		for {
			size, err = syscall.Read(int(descriptor), buffer)
			if err != syscall.EINTR {
				return
			}
		}
	})
	if err == syscall.EAGAIN {
		return 0, nil
	}
	return max(size, 0), errors.Join(err, controlErr)
}

func writeAll(destination *os.File, data []byte) error {
	if destination == nil {
		return nil
	}
	_, err := destination.Write(data)
	return err
}
