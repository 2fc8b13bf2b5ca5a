package criu

import (
	"fmt"

	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/sys"
)

// Installed is a CRIU, with the means to start it.
type Installed struct {
	// directory holds the binary; cache is a directory closed to the user's program.
	directory, cache string
	spawner          Spawner
	capabilities     []uintptr
}

// New finds CRIU in a directory. It names the required capabilities that this process lacks; many programs
// can be moved without one or another.
func New(directory, cache string, spawner Spawner) (installed Installed, missing []string, err error) {
	held, err := sys.PermittedCapabilities()
	if err != nil {
		return Installed{}, nil, err
	}
	capabilities, missing := split(held)
	return Installed{directory, cache, spawner, capabilities}, missing, nil
}

// Dump starts to dump a tree that runs as the given user. A user other than root is dumped by a CRIU running as
// that user: root would need CAP_SYS_RESOURCE to read its limits.
func (c Installed) Dump(root int, dir string, user program.User) (*Worker, error) {
	return c.start(user, nil, dumpRequest(root, dir))
}

// Restore starts to restore the image in dir; pipes holds, by the inode of each of its pipes, our end.
func (c Installed) Restore(dir string, pipes map[uint64]int) (*Worker, error) {
	var files []uintptr
	var pairs []inherited
	for inode, descriptor := range pipes {
		pairs = append(pairs, inherited{fmt.Sprintf("pipe:[%d]", inode), rpcDescriptor + 1 + len(files)})
		files = append(files, uintptr(descriptor))
	}
	return c.start(program.User{}, files, restoreRequest(dir, pairs))
}
