// Package proctree looks at, and makes room for, the processes of this PID namespace.
package proctree

import (
	"runtime"
	"syscall"
)

// ReservedPIDs is the number below which no process of the user's program may live, so that the launcher
// and CRIU find their own PIDs free when the program is restored in a new container. It is the kernel's
// own RESERVED_PIDS, below which PIDs are not reused after a wrap-around either.
const ReservedPIDs = 300

// MoveCursorPastReserved uses up PIDs until the kernel hands out numbers above ReservedPIDs.
// Threads take their numbers from the same allocator as processes and cost microseconds.
func MoveCursorPastReserved() {
	for threadID() <= ReservedPIDs {
	}
}

// threadID starts a thread, ends it and returns the number it had.
func threadID() int {
	id := make(chan int)
	go func() {
		// A goroutine that ends while locked takes its thread with it.
		runtime.LockOSThread()
		id <- syscall.Gettid()
	}()
	return <-id
}
