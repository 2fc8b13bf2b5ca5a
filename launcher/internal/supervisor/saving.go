package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/proctree"
	"ergosphere.dev/launcher/internal/protocol"
)

// resumeVariable names the directory with the saved state to a program that is started to go on from it.
const resumeVariable = "ERGOSPHERE_CHECKPOINT"

// Saving is how a program that saves its own state is asked to: at the signal it saves to the directory and ends with 0,
// within the grace period.
type Saving struct {
	Signal    syscall.Signal
	Grace     time.Duration
	Directory string
	// MustHold says that the directory may not be empty afterwards.
	MustHold bool
	// Gang says that the program goes on from what others have saved too. That is nowhere but in a complete checkpoint:
	// instead of being started again where it is, it ends, and its operator starts all of them from the last one.
	Gang bool
}

// save is what the present process of such a program was told and has done.
type save struct {
	// expected: from now on its end with 0 says that it has saved, be it at our signal or at a word of its peers, who
	// had theirs earlier. It stays so when the cut comes to nothing: the peers may act late.
	expected, signalled, done bool
	cut                       string
	leaseSeconds              float64
	// call is the dump that waits for it, since asked and until overdue.
	call    *link.Call
	asked   time.Time
	overdue <-chan time.Time
}

// prepareToSave makes sure that the program can be asked.
func (s *Supervisor) prepareToSave(call link.Call) error {
	if err := s.willSave(); err != nil {
		return err
	}
	s.save.expected, s.save.cut, s.save.leaseSeconds = true, call.Cut, call.LeaseSeconds
	accept(call)
	return nil
}

// willSave checks that the signal would not end the program, or be lost on one that is only being started. What was
// told once to expect a cut may have ended since.
func (s *Supervisor) willSave() error {
	if s.save.expected {
		return nil
	}
	number := s.config.Saving.Signal
	handling, err := proctree.Handling(s.record.Root, number)
	starting := false
	if err == nil && len(handling) > 0 {
		starting, err = isLauncher(s.record.Root)
	}
	if err != nil {
		return err
	}
	if len(handling) == 0 || starting {
		return protocol.Failed("SignalNotHandled",
			"the program does not handle signal %d (%v), or not yet: it cannot be asked to save its state", int(number), number)
	}
	return nil
}

// isLauncher says whether a process has not become the program yet.
func isLauncher(pid int) (bool, error) {
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false, err
	}
	running, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && os.SameFile(own, running), err
}

// askToSave sends the signal. The answer follows when the program has ended and its directory is stored.
func (s *Supervisor) askToSave(call link.Call) error {
	if err := s.willSave(); err != nil {
		return err
	}
	s.save.asked, s.save.cut, s.save.leaseSeconds = time.Now(), call.Cut, call.LeaseSeconds
	if s.save.done {
		s.lease.Stop()
		s.takeDirectory(call)
		return nil
	}
	if err := s.signalToSave(); err != nil {
		return err
	}
	s.save.expected, s.save.signalled = true, true
	s.save.call, s.save.overdue, s.busy = &call, time.After(s.config.Saving.Grace), "dump"
	return nil
}

// signalToSave sends the signal once, and not to a process that handles it no more: a peer's word has made it save, and
// it is about to end. Python, for one, takes its handlers back before that, and the signal would be its death.
func (s *Supervisor) signalToSave() error {
	if s.save.signalled {
		return nil
	}
	handling, err := proctree.Handling(s.record.Root, s.config.Saving.Signal)
	for _, pid := range handling {
		if failed := syscall.Kill(pid, s.config.Saving.Signal); failed != syscall.ESRCH {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// onSaved is the end of a program that has saved its state. What it left running would be in its successor's way.
func (s *Supervisor) onSaved() {
	if err := endOrphans(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: after the program's end: %v\n", err)
	}
	call := s.save.call
	s.record.Root, s.save.done, s.save.call, s.save.overdue = 0, true, nil, nil
	if call == nil {
		s.extendLease(s.save.leaseSeconds)
		return
	}
	s.takeDirectory(*call)
}

func (s *Supervisor) takeDirectory(call link.Call) {
	saving, restored, taken := s.config.Saving, s.restored, checkpoint.Taken{Dump: time.Since(s.save.asked)}
	s.perform("dump", func() func() {
		begun := time.Now()
		bytes, err := checkpoint.TakeDirectory(call.Dir, saving.Directory, s.config.Roots, restored, saving.MustHold)
		taken.Bytes, taken.Files = bytes, time.Since(begun)
		return func() { s.onDirectoryTaken(call, taken, err) }
	})
}

func (s *Supervisor) onDirectoryTaken(call link.Call, taken checkpoint.Taken, err error) {
	if err != nil {
		refuse(call, err)
		s.resume()
		return
	}
	s.hold(call, dumped(taken))
}

// onOverdue gives the cut up. The program runs on; when it has saved after all, it is started again.
func (s *Supervisor) onOverdue() {
	s.giveUp("the program did not save its state and end within %v", s.config.Saving.Grace)
}

func (s *Supervisor) giveUp(format string, arguments ...any) {
	refuse(*s.save.call, protocol.Failed("NotSaved", format, arguments...))
	s.save.call, s.save.overdue, s.busy = nil, nil, ""
}

// restoreDirectory puts back what a program has saved. It is started when it is thawed.
func (s *Supervisor) restoreDirectory(call link.Call) error {
	s.perform("restore", func() func() {
		begun := time.Now()
		restored, err := checkpoint.RestoreDirectory(call.Dir, s.config.Saving.Directory)
		files := time.Since(begun)
		return func() {
			if err != nil {
				refuse(call, err)
				return
			}
			s.state, s.restored = Restored, restored
			call.Answer(protocol.Reply{OK: true, FilesMs: milliseconds(files), RestoreMs: milliseconds(0)})
		}
	})
	return nil
}

// startAgain starts the program to go on from what it has saved, unless that is not all it needs.
func (s *Supervisor) startAgain() {
	if s.config.Saving.Gang && s.save.done {
		s.writeTermination(map[string]any{"left": s.save.cut})
		s.finish(protocol.Exit{})
		return
	}
	if err := s.launch(map[string]string{resumeVariable: s.config.Saving.Directory}); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: cannot start the program again: %v\n", err)
		s.end(protocol.Exit{Code: 126})
	}
}

// endOrphans kills what the ended program, or a restore that failed, left to PID 1.
func endOrphans() error { return killTree(os.Getpid()) }
