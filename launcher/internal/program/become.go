package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"ergosphere.dev/launcher/internal/sys"
)

// Exit codes of a program that could not be executed, as shells use them.
const (
	ExitNotExecutable = 126
	ExitNotFound      = 127
)

// Become turns this process, a fresh child of the launcher, into the user's program: a subreaper, so that
// orphans stay inside its tree as they would below PID 1, with the given identity and no capabilities, for good.
// It returns only when that fails, with the exit code to use.
func Become(user User, randomizeAddresses bool, command []string) (int, error) {
	// Capabilities belong to threads: the one that drops them must be the one that executes the program.
	runtime.LockOSThread()
	if !randomizeAddresses {
		// A seccomp profile may forbid it. The program runs as well without; checkpoints share less.
		if err := sys.DisableAddressRandomization(); err != nil {
			fmt.Fprintf(os.Stderr, "ergosphere: address randomization stays on: %v\n", err)
		}
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{"become the reaper of orphans", sys.SetChildSubreaper},
		{"drop the capability bounding set", sys.DropBoundingSet},
		{"take the identity " + user.String(), func() error { return sys.SetIdentity(user.UID, user.GID, user.Groups) }},
		{"drop capabilities", sys.DropCapabilities},
		{"refuse new privileges", sys.SetNoNewPrivs},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return ExitNotExecutable, fmt.Errorf("cannot %s: %w", step.what, err)
		}
	}
	return execute(command)
}

func execute(command []string) (int, error) {
	path, err := exec.LookPath(command[0])
	// The user asked for a relative name in so many words, as a container runtime would take it.
	if errors.Is(err, exec.ErrDot) {
		err = nil
	}
	if err == nil {
		err = syscall.Exec(path, command, os.Environ())
	}
	err = fmt.Errorf("cannot execute %q: %w", command[0], err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return ExitNotFound, err
	}
	return ExitNotExecutable, err
}
