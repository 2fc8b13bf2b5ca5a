package proctree

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Sockets returns the descriptors of a process that are sockets. One that has ended has none.
func Sockets(pid int) ([]int, error) {
	process := fmt.Sprintf("/proc/%d", pid)
	entries, err := os.ReadDir(process + "/fd")
	if err != nil {
		return nil, unlessEnding(process, err)
	}
	var sockets []int
	for _, entry := range entries {
		target, err := os.Readlink(process + "/fd/" + entry.Name())
		if err != nil && unlessEnding(process, err) != nil {
			return nil, err
		}
		if number, notNumber := strconv.Atoi(entry.Name()); notNumber == nil && strings.HasPrefix(target, "socket:[") {
			sockets = append(sockets, number)
		}
	}
	return sockets, nil
}

// unlessEnding passes over the errors of looking at what a process has closed, or at one that ends.
func unlessEnding(process string, err error) error {
	if isGone(err) || isEnding(process) {
		return nil
	}
	return err
}
