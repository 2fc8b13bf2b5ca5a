package proctree

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Process is what /proc/PID/stat says of one process.
type Process struct {
	PID    int
	Parent int
	State  byte
	Name   string
}

// Zombie says whether the process has ended and only waits to be reaped.
func (p Process) Zombie() bool { return p.State == 'Z' || p.State == 'X' }

// List returns every process that /proc shows.
func List() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var processes []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		process, err := read(pid)
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		processes = append(processes, process)
	}
	return processes, nil
}

func read(pid int) (Process, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, err
	}
	return parseStat(string(line))
}

// parseStat reads "PID (NAME) STATE PARENT ..."; NAME may itself hold spaces and brackets.
func parseStat(line string) (Process, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return Process{}, fmt.Errorf("unreadable process status %q", line)
	}
	fields := strings.Fields(line[end+1:])
	if len(fields) < 2 || len(fields[0]) != 1 {
		return Process{}, fmt.Errorf("unreadable process status %q", line)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	if err != nil {
		return Process{}, fmt.Errorf("unreadable process number in %q", line)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return Process{}, fmt.Errorf("unreadable parent in %q", line)
	}
	return Process{PID: pid, Parent: parent, State: fields[0][0], Name: line[open+1 : end]}, nil
}

// Descendants returns root and everything below it, parents before children.
func Descendants(processes []Process, root int) []Process {
	children := make(map[int][]Process)
	var found []Process
	for _, process := range processes {
		if process.PID == root {
			found = append(found, process)
			continue
		}
		children[process.Parent] = append(children[process.Parent], process)
	}
	for next := 0; next < len(found); next++ {
		found = append(found, children[found[next].PID]...)
	}
	return found
}
