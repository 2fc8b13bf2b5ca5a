package criu

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ergosphere.dev/launcher/internal/protocol"
)

// Diagnose reads the log of a failed request and says what went wrong.
func Diagnose(dir, log string, cause error) *protocol.Failure {
	text, err := os.ReadFile(filepath.Join(dir, log))
	if err != nil {
		return protocol.Failed("CheckpointerFailed", "CRIU failed without a word: %v", cause)
	}
	return Classify(string(text))
}

var (
	errorLine   = regexp.MustCompile(`(?m)^.*Error \([^)]*\): (.*)$`)
	dumpedTask  = regexp.MustCompile(`Dumping task \(pid: (\d+) comm: (.*)\)`)
	restoreTask = regexp.MustCompile(`^\([\d.]+\)\s+(\d+): `)
)

// Classify finds the cause of a failure in CRIU's log: the first of its errors that is known counts, since what
// follows it is usually a consequence.
func Classify(log string) *protocol.Failure {
	lines := errorLine.FindAllStringSubmatchIndex(log, -1)
	for _, line := range lines {
		text := log[line[2]:line[3]]
		for _, known := range findings {
			if match := known.pattern.FindStringSubmatch(text); match != nil {
				reason, message := known.explain(culprit(log, line[0]), match)
				return protocol.Failed(reason, "%s", message)
			}
		}
	}
	if len(lines) == 0 {
		return protocol.Failed("CheckpointerFailed", "CRIU ended without giving a reason; its log is with the image")
	}
	first := strings.TrimSpace(log[lines[0][2]:lines[0][3]])
	return protocol.Failed("CheckpointerFailed", "CRIU could not handle %s: %s", culprit(log, lines[0][0]), first)
}

// culprit names the process that CRIU was at when it wrote the line that starts at an offset.
func culprit(log string, offset int) string {
	end := offset + strings.IndexByte(log[offset:]+"\n", '\n')
	if task := restoreTask.FindStringSubmatch(log[offset:end]); task != nil {
		return "process " + task[1]
	}
	tasks := dumpedTask.FindAllStringSubmatch(log[:offset], -1)
	if len(tasks) == 0 {
		return "the program"
	}
	last := tasks[len(tasks)-1]
	return fmt.Sprintf("process %s (%s)", last[1], last[2])
}
