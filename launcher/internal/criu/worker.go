package criu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/sys"
)

// The stages at which a request can be held, and the one that says the tree stands still.
const (
	StageReady    = "pre-dump"
	StageFrozen   = "query-ext-files"
	StageDumped   = "post-dump"
	StageRestored = "pre-resume"
)

const rpcDescriptor = 3

// Slowest is how long CRIU may take to get ready, to freeze the program, and to let go of it: somewhat longer than it
// tries itself. The program may have stopped it.
var Slowest = 25 * time.Second

// Spawner starts a child process and gives a channel that delivers its status once when it has ended.
type Spawner interface {
	Spawn(path string, arguments []string, attributes *syscall.ProcAttr) (pid int, ended <-chan syscall.WaitStatus, err error)
}

// Worker is one CRIU process serving one request.
type Worker struct {
	PID int
	// Ended is closed when the process has ended.
	Ended  <-chan struct{}
	socket *os.File
	// root is the program that is dumped, once its connections may be in CRIU's hands.
	root int
}

// start runs a CRIU worker as the given user, with all capabilities it needs, and sends it a request. The files become
// its descriptors from rpcDescriptor+1 on. The user's program may have prepared the container for it, so it
// gets an empty environment, and neither configuration files nor plugins of the container.
func (c Installed) start(user program.User, files []uintptr, request message) (*Worker, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(pair[1])
	socket := os.NewFile(uintptr(pair[0]), "criu")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	defer null.Close()
	attributes := &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"XDG_RUNTIME_DIR=" + c.cache},
		Files: append([]uintptr{null.Fd(), null.Fd(), null.Fd(), uintptr(pair[1])}, files...),
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	if user.UID != 0 {
		attributes.Sys.Credential = &syscall.Credential{Uid: user.UID, Gid: user.GID, Groups: user.Groups}
		attributes.Sys.AmbientCaps = c.capabilities
	}
	binary := filepath.Join(c.directory, "criu")
	arguments := []string{binary, "--no-default-config", "--libdir", c.directory + "/plugins", "swrk", strconv.Itoa(rpcDescriptor)}
	pid, ended, err := c.spawner.Spawn(binary, arguments, attributes)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start %s: %w", binary, err), socket.Close())
	}
	worker := &Worker{PID: pid, Ended: closedAt(ended), socket: socket}
	if user.UID == 0 {
		// At a restore CRIU opens every file of the program, whose own limit may be above ours.
		err = sys.AllowAllFiles(pid)
	}
	if err == nil {
		err = worker.send(request)
	}
	if err != nil {
		return nil, errors.Join(err, worker.Close())
	}
	return worker, nil
}

// closedAt makes of a status that is delivered once a channel that many can wait at.
func closedAt(ended <-chan syscall.WaitStatus) <-chan struct{} {
	closed := make(chan struct{})
	go func() {
		<-ended
		close(closed)
	}()
	return closed
}

func (w *Worker) send(request message) error {
	_, err := w.socket.Write(request)
	return err
}

// Proceed lets CRIU go on from the stage it announced last.
func (w *Worker) Proceed() error { return w.send(answer()) }

// Write lets CRIU, which has frozen the program of that number, write its image.
func (w *Worker) Write(root int) error {
	w.root = root
	return w.Proceed()
}

// Next waits for what CRIU says next: the name of a stage, at which it then waits for Proceed, or "" with
// whether the request succeeded. A worker that died says so as an error.
func (w *Worker) Next() (stage string, success bool, err error) {
	buffer := make([]byte, 1<<16)
	size, err := w.socket.Read(buffer)
	if err != nil {
		return "", false, fmt.Errorf("CRIU ended without an answer: %w", err)
	}
	parsed, err := parseResponse(buffer[:size])
	if err != nil {
		return "", false, err
	}
	return parsed.stage, parsed.success, nil
}

// AdvanceTo lets CRIU run through its stages up to the given one. ErrRefused says that CRIU itself gave up.
func (w *Worker) AdvanceTo(target string) error {
	for {
		stage, _, err := w.Next()
		if err != nil {
			return err
		}
		if stage == target {
			return nil
		}
		if stage == "" {
			return ErrRefused
		}
		if err := w.Proceed(); err != nil {
			return err
		}
	}
}

// AdvanceWithin is AdvanceTo for a CRIU that is killed if it takes longer; the kernel then lets go of the tree.
func (w *Worker) AdvanceWithin(limit time.Duration, target string) error {
	defer w.killAfter(limit).Stop()
	return w.AdvanceTo(target)
}

// AdvanceUnder is AdvanceTo for a CRIU that is killed when a context ends. The error is the context's cause then.
func (w *Worker) AdvanceUnder(limited context.Context, target string) error {
	defer context.AfterFunc(limited, w.kill)()
	err := w.AdvanceTo(target)
	if err != nil && limited.Err() != nil {
		return context.Cause(limited)
	}
	return err
}

// ErrRefused says that CRIU could not do what was asked; its log has the reason.
var ErrRefused = errors.New("CRIU failed")
