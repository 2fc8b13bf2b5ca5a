package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/proctree"
	"ergosphere.dev/launcher/internal/protocol"
)

// restore brings a program back from an image and holds it until it is thawed.
func (s *Supervisor) restore(call link.Call) error {
	if s.state != Waiting {
		return s.wrongState("restore", Waiting)
	}
	if err := s.imageDirectory(call.Dir); err != nil {
		return err
	}
	if s.config.Saving != nil {
		return s.restoreDirectory(call)
	}
	record, err := checkpoint.ReadRecord(call.Dir)
	if err != nil {
		return protocol.Failed("ImageDamaged", "the image cannot be read: %v", err)
	}
	if record.Directory != "" {
		return protocol.Failed("WrongMode", "the checkpoint holds the state that a program saved itself, and no process")
	}
	if err := s.openPumps(record.User); err != nil {
		return err
	}
	ended := s.reaper.Watch(record.Root)
	s.perform("restore", func() func() {
		restored, err := checkpoint.Restore(
			s.config.CRIU, record, s.config.Job, call.Dir, s.config.Roots, s.stdout.WriteEnd(), s.stderr.WriteEnd())
		err = errors.Join(err, s.closeWriteEnds())
		return func() { s.onRestored(call, record, ended, restored, err) }
	})
	return nil
}

func (s *Supervisor) onRestored(call link.Call, record checkpoint.Record, ended <-chan syscall.WaitStatus,
	restored checkpoint.Restored, err error) {
	if err != nil {
		s.endHalfRestored()
		refuse(call, err)
		return
	}
	// What the program starts from now on must not take the numbers that launcher and CRIU need at the next move.
	proctree.MoveCursorPastReserved()
	record.Stdout, record.Stderr, record.Job = s.stdout.Inode, s.stderr.Inode, s.config.Job
	s.record, s.ended, s.worker, s.state = record, ended, restored.Worker, Restored
	call.Answer(protocol.Reply{
		OK: true, FilesMs: milliseconds(restored.Files), RestoreMs: milliseconds(restored.Restore)})
}

// endHalfRestored kills what a CRIU has left that was killed itself: parts of the program, which might run.
func (s *Supervisor) endHalfRestored() {
	if err := endOrphans(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: after a restore: %v\n", err)
	}
}

// thaw lets a frozen or restored program run. A program that runs already needs no more.
func (s *Supervisor) thaw(call link.Call) error {
	switch s.state {
	case Running, Restored:
	case Frozen:
		if err := s.holds(call, "thaw"); err != nil {
			return err
		}
	default:
		return s.wrongState("thaw", Frozen, Restored)
	}
	accept(call)
	if s.state != Running {
		s.resume()
	}
	return nil
}

// leave ends the frozen program for good, since it goes on elsewhere, and the container with success.
func (s *Supervisor) leave(call link.Call) error {
	if err := s.holds(call, "leave"); err != nil {
		return err
	}
	if s.frozen != nil {
		return protocol.Failed("WrongState", "the program's image has not been written: it cannot leave")
	}
	s.lease.Stop()
	if err := s.endTree(); err != nil {
		return err
	}
	s.writeTermination(map[string]any{"left": s.cut})
	s.state, s.over, s.exitCode = Exited, true, 0
	accept(call)
	return nil
}

// endTree kills whatever is left of the program's tree, and copies out the last of its output.
func (s *Supervisor) endTree() error {
	s.dismiss()
	if err := killTree(s.record.Root); err != nil {
		return err
	}
	if s.worker != nil {
		// It reports that it cannot resume what was killed in its hands.
		_ = s.letGo()
	}
	if s.ended != nil {
		<-s.ended
		s.ended = nil
	}
	return errors.Join(s.stdout.Drain(), s.stderr.Drain())
}

// killTree kills a process and all below it, but not the launcher itself.
func killTree(root int) error {
	processes, err := proctree.List()
	if err != nil {
		return err
	}
	for _, process := range proctree.Descendants(processes, root) {
		if process.PID == os.Getpid() {
			continue
		}
		if err := syscall.Kill(process.PID, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			return fmt.Errorf("kill process %d (%s): %w", process.PID, process.Name, err)
		}
	}
	return nil
}
