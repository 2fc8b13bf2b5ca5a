package program

import (
	"fmt"
	"os"
	"syscall"
)

// Spec says which program to start and how.
type Spec struct {
	User               User
	Home               string
	RandomizeAddresses bool
	// SavesItself says that the program is never frozen, and may use what cannot be checkpointed.
	SavesItself bool
	Command     []string
}

// Start runs the program in a session of its own, with stdin empty, the given variables beside the container's and the
// given descriptors as stdout and stderr, by way of this same binary's `exec-user`. It returns the process number.
func Start(spec Spec, variables map[string]string, stdout, stderr int) (int, error) {
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	arguments := []string{self, "exec-user", "--user", spec.User.String(),
		fmt.Sprintf("--no-aslr=%t", !spec.RandomizeAddresses), "--"}
	env := newVariables(environment(os.Environ(), spec))
	for name, value := range variables {
		env.set(name, value)
	}
	return syscall.ForkExec(self, append(arguments, spec.Command...), &syscall.ProcAttr{
		Env:   env.entries,
		Files: []uintptr{stdin.Fd(), uintptr(stdout), uintptr(stderr)},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// environment is the container's with the user's home. Where the program did not choose otherwise, it also keeps
// common runtimes from what cannot be checkpointed, and Python's string hashes the same in all replicas, as the layout
// of memory is.
func environment(inherited []string, spec Spec) []string {
	env := newVariables(inherited)
	if spec.Home != "" {
		env.set("HOME", spec.Home)
	}
	if !spec.RandomizeAddresses {
		env.setDefault("PYTHONHASHSEED", "0")
	}
	if !spec.SavesItself {
		env.setDefault("UV_USE_IO_URING", "0")
		env.addOption("GODEBUG", "multipathtcp", "0")
	}
	return env.entries
}
