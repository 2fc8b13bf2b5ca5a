package proctree

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Handling returns the processes of a tree that handle a signal, but for those below one that does: a program that is
// started by a shell, or workers by a launcher of their own.
func Handling(root int, number syscall.Signal) ([]int, error) {
	processes, err := List()
	if err != nil {
		return nil, err
	}
	var handling []int
	skipped := map[int]bool{}
	for _, process := range Descendants(processes, root) {
		if skipped[process.Parent] {
			skipped[process.PID] = true
			continue
		}
		handles, err := Handles(process.PID, number)
		if err != nil {
			return nil, err
		}
		if handles {
			handling = append(handling, process.PID)
			skipped[process.PID] = true
		}
	}
	return handling, nil
}

// Handles says whether a process would do something of its own at a signal: it has a handler, or waits for it with
// the signal blocked. Any other process is ended by it, or does not notice; one that has ended handles nothing.
func Handles(pid int, number syscall.Signal) (bool, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if isGone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	caught, err := signalSet(string(status), "SigCgt")
	if err != nil {
		return false, err
	}
	blocked, err := signalSet(string(status), "SigBlk")
	if err != nil {
		return false, err
	}
	if isForking(blocked) {
		blocked = 0
	}
	if (caught|blocked)&(1<<(number-1)) != 0 {
		return true, nil
	}
	return waitsForSignals(pid)
}

// isForking says whether all signals are blocked, or all but those that libc keeps for itself. It does so for a moment
// whenever a process starts another.
func isForking(blocked uint64) bool { return bits.OnesCount64(blocked) >= 59 }

// waitsForSignals says whether a thread is in sigwait or its kin, for as long as which the kernel does not show as blocked
// what the thread waits for.
func waitsForSignals(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return false, err
	}
	waiting := strconv.Itoa(syscall.SYS_RT_SIGTIMEDWAIT) + " "
	for _, thread := range threads {
		call, err := os.ReadFile(thread + "/syscall")
		if err != nil && !isGone(err) && !isEnding(thread) {
			return false, err
		}
		if strings.HasPrefix(string(call), waiting) {
			return true, nil
		}
	}
	return false, nil
}

// isEnding says whether a thread has let go of its memory: the kernel then shows what it does to root alone.
func isEnding(thread string) bool {
	status, err := os.ReadFile(thread + "/status")
	return isGone(err) || err == nil && !strings.Contains(string(status), "\nVmSize:")
}

// signalSet reads a set of signals from /proc/PID/status: signal 1 is the lowest bit.
func signalSet(status, field string) (uint64, error) {
	_, rest, found := strings.Cut("\n"+status, "\n"+field+":")
	if !found {
		return 0, fmt.Errorf("the process status has no field %s", field)
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strconv.ParseUint(strings.TrimSpace(line), 16, 64)
}
