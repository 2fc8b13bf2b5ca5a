// Package reaper waits for the processes that PID 1 has to wait for: its own children and every orphan.
package reaper

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Reaper collects the status of ended processes and gives it to whoever asked for it; the rest it forgets.
type Reaper struct {
	mutex    sync.Mutex
	watchers map[int]chan syscall.WaitStatus
}

// Start begins to reap. Nothing else in this process may wait for children from then on.
func Start() *Reaper {
	reaper := &Reaper{watchers: map[int]chan syscall.WaitStatus{}}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	go func() {
		for range signals {
			reaper.collect()
		}
	}()
	return reaper
}

// Spawn starts a process. The lock keeps its end from being collected before it is watched.
func (r *Reaper) Spawn(path string, arguments []string, attributes *syscall.ProcAttr) (int, <-chan syscall.WaitStatus, error) {
	return r.Watching(func() (int, error) { return syscall.ForkExec(path, arguments, attributes) })
}

// Watching is Spawn for any function that starts a process and returns its number.
func (r *Reaper) Watching(start func() (int, error)) (int, <-chan syscall.WaitStatus, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	pid, err := start()
	if err != nil {
		return 0, nil, err
	}
	return pid, r.watch(pid), nil
}

// Watch gives the status of a process that another creates as our child.
func (r *Reaper) Watch(pid int) <-chan syscall.WaitStatus {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.watch(pid)
}

func (r *Reaper) watch(pid int) <-chan syscall.WaitStatus {
	ended := make(chan syscall.WaitStatus, 1)
	r.watchers[pid] = ended
	return ended
}

// collect reaps all that has ended so far: several SIGCHLD may have arrived as one.
func (r *Reaper) collect() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended, watched := r.watchers[pid]; watched {
			delete(r.watchers, pid)
			ended <- status
		}
	}
}
