package proctree

import (
	"os"
	"reflect"
	"testing"
)

func TestStatusLinesWithHostileNames(t *testing.T) {
	for line, want := range map[string]Process{
		"12 (sh) S 1 12 12":             {12, 1, 'S', "sh"},
		"12 (a) R 99 (b) T 7 12 12":     {12, 7, 'T', "a) R 99 (b"},
		"12 ( ) ) Z 300 0":              {12, 300, 'Z', " ) "},
		"301 (with\nnewline) t 300 0 0": {301, 300, 't', "with\nnewline"},
	} {
		if process, err := parseStat(line); err != nil || process != want {
			t.Errorf("%q: %+v %v", line, process, err)
		}
	}
	for _, line := range []string{"", "12", "12 (sh", "x (sh) S 1", "12 (sh) S", "12 (sh) S y"} {
		if process, err := parseStat(line); err == nil {
			t.Errorf("%q: %+v", line, process)
		}
	}
}

func TestATreeIsItsRootAndAllBelow(t *testing.T) {
	all := []Process{{PID: 1}, {PID: 5, Parent: 4}, {PID: 4, Parent: 3}, {PID: 3, Parent: 1}, {PID: 9, Parent: 1}, {PID: 7, Parent: 3}, {PID: 8}}
	var pids []int
	for _, process := range Descendants(all, 3) {
		pids = append(pids, process.PID)
	}
	if !reflect.DeepEqual(pids, []int{3, 4, 7, 5}) {
		t.Error(pids)
	}
	if found := Descendants(all, 42); found != nil {
		t.Error(found)
	}
}

func TestThisProcessIsListed(t *testing.T) {
	processes, err := List()
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range processes {
		if process.PID == os.Getpid() && process.Parent == os.Getppid() {
			return
		}
	}
	t.Error("it is not")
}

// The first may be the main thread, which the runtime parks instead of ending it; no thread serves twice.
func TestThreadsUseUpProcessNumbers(t *testing.T) {
	seen := map[int]bool{}
	for range 4 {
		seen[threadID()] = true
	}
	if len(seen) != 4 {
		t.Errorf("four threads had the numbers %v", seen)
	}
}
