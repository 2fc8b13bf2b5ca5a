// The launcher is PID 1 of a worker's container: it starts the user's program, and freezes, dumps and restores it
// when the agent in the same pod asks.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  launcher install FROM TO RUN    copy the binaries FROM a directory TO another, and prepare the directory RUN
  launcher probe FILE             write who this container runs as
  launcher run [--user UID:GID[:GROUP,...]] [--home DIR] [--grace SECONDS] [--no-aslr=true|false]
               [--carry DIR]... [--save-in DIR [--save-signal NUMBER] [--save-within SECONDS] [--must-save]
               [--gang]]
               -- COMMAND [ARGUMENT]...
                                  run COMMAND when the agent says so`

func main() {
	commands := map[string]func([]string) (int, error){
		"install":   install,
		"probe":     probe,
		"run":       run,
		"exec-user": execUser,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(64)
	}
	code, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: %s: %v\n", os.Args[1], err)
		if code == 0 {
			code = 1
		}
	}
	os.Exit(code)
}
