package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ergosphere.dev/launcher/internal/protocol"
)

// checkIPC refuses a program that uses what belongs to the container rather than to it and would be missing
// in another: CRIU would leave it behind without a word.
func checkIPC() error {
	for _, kind := range []struct{ table, name string }{
		{"/proc/sysvipc/shm", "shared memory"},
		{"/proc/sysvipc/sem", "semaphores"},
		{"/proc/sysvipc/msg", "message queues"},
	} {
		used, err := hasRows(kind.table)
		if err != nil {
			return err
		}
		if used {
			return protocol.Failed("SystemVIPC", "the program uses System V %s, which cannot be checkpointed", kind.name)
		}
	}
	queues, err := os.ReadDir("/dev/mqueue")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(queues) > 0 {
		return protocol.Failed("MessageQueue", "the program uses the POSIX message queue %s, which cannot be checkpointed",
			queues[0].Name())
	}
	return nil
}

// hasRows says whether a table of the kernel holds more than its heading. A kernel without the table has none.
func hasRows(table string) (bool, error) {
	file, err := os.Open(table)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	count := 0
	for lines.Scan() {
		count++
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("%s: %w", table, err)
	}
	return count > 1, nil
}
