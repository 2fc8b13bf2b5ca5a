package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/reaper"
	"ergosphere.dev/launcher/internal/supervisor"
	"ergosphere.dev/launcher/internal/sys"
)

// Where the pod's parts find each other, in every container.
const (
	runDirectory   = "/ergosphere/run"
	socketPath     = runDirectory + "/launcher.sock"
	imagesPath     = runDirectory + "/images"
	terminationLog = "/dev/termination-log"
)

// runOptions are the flags of `run` and, in part, of `exec-user`.
type runOptions struct {
	user    program.User
	home    string
	job     string
	grace   float64
	noASLR  bool
	carry   []string
	saving  *supervisor.Saving
	command []string
}

func parseRunOptions(name string, arguments []string) (runOptions, error) {
	options := runOptions{user: program.Current()}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Func("user", "who the program runs as, `UID:GID[:GROUP,...]`", func(text string) (err error) {
		options.user, err = program.ParseUser(text)
		return err
	})
	flags.Func("user-file", "what `launcher probe` wrote to this `file`, if it is there: a restore needs no user", func(path string) error {
		return options.readUser(path)
	})
	flags.StringVar(&options.job, "job", "", "the `UID` of the job: files on volumes are cut back for the job alone that wrote them")
	flags.StringVar(&options.home, "home", "", "the program's home `directory`")
	flags.Float64Var(&options.grace, "grace", 30, "`seconds` from SIGTERM to SIGKILL")
	flags.BoolVar(&options.noASLR, "no-aslr", true, "lay out memory the same way each time, so that checkpoints share more")
	flags.Func("carry", "a `directory` on a mount of its own whose files move with the program", func(path string) error {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return errors.New("must be a clean absolute path")
		}
		options.carry = append(options.carry, path)
		return nil
	})
	saving := savingFlags(flags)
	if err := flags.Parse(arguments); err != nil {
		return runOptions{}, err
	}
	if saving.Directory != "" {
		options.saving = saving
	}
	options.command = flags.Args()
	if len(options.command) == 0 || options.command[0] == "" {
		return runOptions{}, errors.New("a command must follow --")
	}
	if !(options.grace >= 0 && options.grace < 1e9) {
		return runOptions{}, fmt.Errorf("--grace must be a number of seconds from 0")
	}
	return options, nil
}

// savingFlags are those of a program that saves its own state; without --save-in it does not.
func savingFlags(flags *flag.FlagSet) *supervisor.Saving {
	saving := &supervisor.Saving{Signal: syscall.SIGUSR1, Grace: 300 * time.Second}
	flags.Func("save-in", "the `directory` that the program saves its own state in", func(path string) error {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
			return errors.New("must be a clean absolute path below /")
		}
		saving.Directory = path
		return nil
	})
	flags.Func("save-signal", "the `number` of the signal that makes it do so and end with 0", func(text string) error {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > 64 {
			return errors.New("must be a number from 1 to 64")
		}
		saving.Signal = syscall.Signal(number)
		return nil
	})
	flags.Func("save-within", "how many whole `seconds` it may take for that", func(text string) error {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 || seconds > 86400 {
			return errors.New("must be a number from 1 to 86400")
		}
		saving.Grace = time.Duration(seconds) * time.Second
		return nil
	})
	flags.BoolVar(&saving.MustHold, "must-save", false, "whether an empty directory afterwards means that it has failed")
	flags.BoolVar(&saving.Gang, "gang", false, "whether it goes on from what others have saved too")
	return saving
}

func (options *runOptions) readUser(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var found probed
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("%s is not what `launcher probe` writes: %w", path, err)
	}
	options.user, options.home = found.User, found.Home
	return nil
}

func run(arguments []string) (int, error) {
	options, err := parseRunOptions("run", arguments)
	if err != nil {
		return 64, err
	}
	binary, err := os.Executable()
	if err != nil {
		return 1, err
	}
	if err := sys.SetUndumpable(); err != nil {
		return 1, err
	}
	children := reaper.Start()
	checkpointer, missing, err := criu.New(filepath.Dir(binary), runDirectory, children)
	if err != nil {
		return 1, err
	}
	if len(missing) > 0 && options.saving == nil {
		fmt.Fprintf(os.Stderr, "ergosphere: the container lacks the capabilities %s: some programs cannot be moved\n",
			strings.Join(missing, ", "))
	}
	roots, err := carriedRoots(options.carry)
	if err != nil {
		return 1, err
	}
	if saving := options.saving; saving != nil {
		if saving.Directory, err = checkpoint.MakeDirectory(saving.Directory, options.user); err != nil {
			return 1, err
		}
	}
	life, err := supervisor.New(supervisor.Config{
		Program: program.Spec{
			User: options.user, Home: options.home,
			RandomizeAddresses: !options.noASLR, SavesItself: options.saving != nil, Command: options.command,
		},
		Job:    options.job,
		Grace:  time.Duration(options.grace * float64(time.Second)),
		Socket: socketPath, Images: imagesPath, TerminationLog: terminationLog,
		Roots:  roots,
		CRIU:   checkpointer,
		Saving: options.saving,
	}, children)
	if err != nil {
		return 1, err
	}
	return life.Run(), nil
}

func execUser(arguments []string) (int, error) {
	options, err := parseRunOptions("exec-user", arguments)
	if err != nil {
		return 64, err
	}
	return program.Become(options.user, !options.noASLR, options.command)
}
